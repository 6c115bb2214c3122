"""How good a model is: against the truth of simulated frames, and on real ones."""
