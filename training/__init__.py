"""Training, evaluation and reports; knows nothing of HTTP."""
