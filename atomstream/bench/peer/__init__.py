"""The same frames by other people's software, in an environment of its own."""
