"""Whether the atoms that people have labelled are found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.evaluation.real.folder import Labels
from inference.evaluation.real.seen import Seen
from inference.evaluation.tally import Tally
from inference.matching import match

SILICON_NM = 0.05
"""Farther than this from its label a Si has not been found."""
CARBON_NM = 0.07


@dataclass(frozen=True, slots=True)
class LabelsFound:
    """Over all frames of a recording."""

    silicon: Tally
    silicon_median_pm: float
    """Distance of the Si that are found from their labels."""
    silicon_false: int
    """Si where none is labelled."""
    right_count: Tally
    """Frames with as many Si as are labelled."""
    carbon: Tally
    """C bonded to a labelled Si."""


def labels_found(seen: list[Seen], labels: tuple[Labels, ...]) -> LabelsFound:
    """Compare frame by frame."""
    silicon, carbon, right, false = Tally(), Tally(), [], 0
    distances = [np.empty(0)]
    for frame, label in zip(seen, labels, strict=True):
        size = frame.pixel_size_nm
        found = frame.rowcol[frame.silicon]
        pairs = match(found, label.silicon, SILICON_NM / size)
        silicon += Tally(len(pairs.true), len(label.silicon))
        false += len(found) - len(pairs.found)
        distances.append(pairs.distance * size * 1e3)
        right.append(len(found) == len(label.silicon))
        bonded = match(frame.rowcol, label.carbon, CARBON_NM / size)
        carbon += Tally(len(bonded.true), len(label.carbon))
    return LabelsFound(
        silicon=silicon,
        silicon_median_pm=_median(np.concatenate(distances)),
        silicon_false=false,
        right_count=Tally.count(np.array(right, bool)),
        carbon=carbon,
    )


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else float("nan")
