"""Less than a recipe asks for, to try out whether a training runs at all."""

from dataclasses import replace
from typing import Protocol

from inference.card import TRIAL

FEWEST = {"scenes": 1, "movies": 1, "frames": 2, "steps": 20}
"""Numbers of a recipe that are scaled; with fewer steps no rate can be scheduled."""


class Recipe(Protocol):
    """A frozen dataclass that has some of the numbers in `FEWEST`."""

    @property
    def seed(self) -> int:
        """Of whatever is drawn."""


def scaled[R: Recipe](recipe: R, scale: float) -> R:
    """The recipe with this share, 0 to 1, of its scenes, movies, frames and steps."""
    there = {name: getattr(recipe, name, None) for name in FEWEST}
    fewer = {
        name: max(FEWEST[name], round(scale * number))
        for name, number in there.items()
        if number is not None
    }
    # A protocol cannot ask for a dataclass.
    return replace(recipe, **fewer)  # type: ignore[type-var]


def trial_in_words(scale: float) -> str:
    """For the notes on the card of a model that was made with less."""
    return f"{TRIAL}, with {scale:g} of the recipe: not to be used."
