"""The page at / in a real Chromium (playwright drives it: color schemes, clipboards, being offline)."""
