"""What the events of a session say about its model."""

from enum import StrEnum


class ModelEvent(StrEnum):
    """Kinds of such events."""

    TAKEN = "new model"
    """From the next frame on."""
    SAME = "same model"
    """What was asked for is what is in use."""
    REFUSED = "model refused"
    """It cannot be used; the one before stays."""
    FIRST = "first frame"
    """The first that a model has analysed."""


ANSWERS = (ModelEvent.TAKEN, ModelEvent.SAME, ModelEvent.REFUSED)
"""What is said to a wish."""
