"""What is asked of a report, beyond which session and which frames."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Window(StrEnum):
    """How much of an atom's surroundings sub-images show."""

    SMALL = "small"
    """The atom and its three neighbours, as the paper's 24 pixels."""
    LARGE = "large"
    """The hexagons around it too."""
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Wish:
    """Of the part that shows what sub-images are made of."""

    window: Window = Window.BOTH
    retrained: Path | None = None
    """Folder of models that were trained on the session itself; None for those that
    are shipped."""
