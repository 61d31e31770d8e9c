"""Dialogs that know nothing of MLflow: menus, prompts, text editors, and the one that waits."""
