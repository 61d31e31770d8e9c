"""A run as cells, lines and metrics, for every place that shows one."""
