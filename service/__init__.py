"""The REST service; knows nothing of training."""
