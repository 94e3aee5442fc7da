"""Text to annotations: documents, codecs, networks and the pipeline; knows nothing of HTTP or training."""
