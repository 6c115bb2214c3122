"""Nion Swift beside us: its simulator as a microscope, and our plug-in in a file."""
