"""Weights that AtomAI saved, brought in as a model: read as data, rebuilt, exported."""
