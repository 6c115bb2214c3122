"""The parts of a report: what is read for each, and what is said of it."""
