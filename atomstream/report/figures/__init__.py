"""Plots of a report: each takes data and returns a figure, for a notebook too."""
