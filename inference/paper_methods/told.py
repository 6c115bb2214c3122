"""What a method makes of sub-images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What one method tells of atoms."""

    content: NDArray[np.floating]
    """(N, k) latents that ought to tell order and nothing of orientation."""
    angle_rad: NDArray[np.floating] | None = None
    """(N,): orientation up to a constant, for a method that tells one."""
