"""The composition root: command line, service processes, checks of the machine."""
