"""What a fit leaves over that looks as if the picture around single atoms had moved.

The fit takes the frame for a sum of atoms: what lies in an atom's place but is a tail
of its neighbour's goes with the neighbour. Where that holds, nothing is better. Where
the picture moves in pieces instead, tails of neighbours included, such a fit sees three
quarters of an atom's movement, and the rest stays in the residual as a shift of the
atom's surroundings. Noise leaves such shifts too, but no larger ones than it must; so
their size tells whether to follow them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.refinement.image_model import Stamps
from inference.refinement.normal_equations import TINY, windows_of
from inference.refinement.shift_noise import FAINT, unused_information
from inference.refinement.situation import Situation
from inference.refinement.sweep import STEP_NM, Prediction, amplitude_prior

FOLLOWED = 1.4
"""Of a shift, where shifts are certain: the residual has kept but a part of them."""
LEAST_EXCESS, SURE_EXCESS = 0.6, 0.9
"""Of the shifts' mean square over that of noise: from where on they are followed, and
followed wholly. Frames whose atoms are a sum, at all doses, stay below the first."""
OUTLIER = 3.0
"""Standard deviations at which a shift is cut before it enters the mean square."""


@dataclass(frozen=True, slots=True, eq=False)
class LocalShift:
    """Of each atom, in pixels of the canvas."""

    shift: NDArray[np.float64]
    """(N, 2): along row and column."""
    variance: NDArray[np.float64]
    """(N,): along each axis, if all is noise."""

    def excess(self, chosen: NDArray[np.bool_]) -> float:
        """Mean square of the shifts of `chosen` over that of noise, minus 1."""
        if not chosen.any():
            return 0.0
        size = np.abs(self.shift[chosen]) / np.sqrt(self.variance[chosen, None])
        return float(np.square(np.minimum(size, OUTLIER)).mean()) - 1

    def followed(self, chosen: NDArray[np.bool_], farthest: float) -> "LocalShift":
        """The part of it that atoms should follow, as far as it is not noise.

        Parameters
        ----------
        chosen
            (N,): atoms that decide on it.
        farthest
            Longest shift along an axis that is followed, pixels.
        """
        beyond = (self.excess(chosen) - LEAST_EXCESS) / (SURE_EXCESS - LEAST_EXCESS)
        part = FOLLOWED * min(max(beyond, 0.0), 1.0)
        shift = np.clip(part * self.shift, -farthest, farthest)
        return LocalShift(shift, part**2 * self.variance)


def followed_shift(
    seen: Prediction, now: Situation, chosen: NDArray[np.bool_], pixel_size_nm: float
) -> LocalShift:
    """What atoms should still move, where the frame is not a sum of atoms.

    Parameters
    ----------
    seen
        Predicted from `now`, the end of the fit.
    chosen
        (N,): atoms that the fit knows the position of.
    """
    found = local_shift(seen, now)
    return found.followed(chosen, STEP_NM / pixel_size_nm)


def local_shift(seen: Prediction, now: Situation) -> LocalShift:
    """How far the surroundings of each atom still lie from where they are predicted.

    A pixel belongs to the atoms by their shares of its predicted value; within an
    atom's share, the shift of least squares is taken.
    """
    faint = np.float32(max(FAINT * float(seen.core.max()), 1e-30))
    share = 1 / np.maximum(seen.core, faint)
    down, right = np.gradient(seen.core)
    pull = share * seen.pull
    asked = [_gathered(slope * pull, seen.stamps) for slope in (down, right)]
    steepness = (down * down + right * right) * (share * seen.weight)
    known = _gathered(steepness, seen.stamps) / 2
    core = 1 - now.optics.tail_fraction
    known = np.maximum(known, max(FAINT * float(np.median(known)), TINY))
    unused = unused_information(
        seen.weight, now.atoms, now.optics, amplitude_prior(now)[1]
    )
    return LocalShift(
        shift=-np.stack(asked, axis=1) / (core * known[:, None]),
        variance=unused / (core**2 * now.atoms.amplitude * known),
    )


def _gathered(image: NDArray[np.floating], stamps: Stamps) -> NDArray[np.float64]:
    """(N,): sum of the image under each atom's core."""
    windows = windows_of(np.asarray(image, np.float32), stamps.corner, stamps.side)
    row, col = stamps.profile
    lines = windows @ col[:, :, None]
    return np.asarray((row[:, None, :] @ lines)[:, 0, 0], np.float64)
