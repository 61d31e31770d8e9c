"""Windows over a place that answer one question and go away."""
