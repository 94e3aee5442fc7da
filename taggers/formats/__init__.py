"""Annotation formats: each module reads and writes one, and says ``path:line`` when a file is malformed."""
