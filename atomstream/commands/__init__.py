"""The commands, one module each: they wire parts together and compute nothing."""
