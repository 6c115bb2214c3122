"""How a model does on frames of a real microscope, not part of the project."""
