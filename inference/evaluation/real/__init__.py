"""How a model does on frames of a real microscope, which are not part of the project."""
