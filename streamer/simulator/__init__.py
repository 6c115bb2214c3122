"""A Si-doped graphene sheet under the beam, imaged by a simulated microscope.

Every frame comes with its exact ground truth. The demo, the tests and the training
of the models all draw from here.
"""
