"""mldeck: a keyboard-driven terminal application for MLflow tracking databases."""

__version__ = "0.1.0"
