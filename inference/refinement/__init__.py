"""Positions measured, not guessed: a fit of the probe to the counts of a frame.

Networks report where a lattice would have its site. Here the expected image of all
atoms together is fitted to the frame by maximum likelihood, started from the network's
positions, so that a displacement not shared by the neighbours is seen and has a
standard uncertainty.
"""
