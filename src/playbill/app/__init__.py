"""The composition root: the only place that reads the clock, the environment and folders."""
