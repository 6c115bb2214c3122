"""Analysis in, pictures out: the live page."""
