"""Reading the histories of metrics, and outlines of them."""
