"""A session on disk: every frame and every analysis, whole, or not there at all."""
