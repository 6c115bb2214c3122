"""Whether a model still sees the same atoms in a frame that was made worse."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from inference.analyse import Analyser
from inference.evaluation.real.added_noise import noisier
from inference.evaluation.real.folder import Recording
from inference.evaluation.real.seen import Seen, look_again
from inference.evaluation.tally import Tally
from inference.matching import MATCH_NM, match

BORDER_NM = 0.1
"""Atoms nearer to the border are not compared: their image is cut."""
DRAWS = 6
"""Of noise, at least, for each recording."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of the atoms of a disturbed frame with those of the frame as it was.

    Which is which is told by where the network saw them: measured positions scatter
    with the noise, and two that lie apart may still be of one atom.
    """

    recall: Tally = field(default_factory=Tally)
    precision: Tally = field(default_factory=Tally)
    measured_recall: Tally = field(default_factory=Tally)
    """The same by the measured positions of both."""
    measured_precision: Tally = field(default_factory=Tally)

    def __add__(self, other: "Agreement") -> "Agreement":
        return Agreement(
            self.recall + other.recall,
            self.precision + other.precision,
            self.measured_recall + other.measured_recall,
            self.measured_precision + other.measured_precision,
        )


def agreement(disturbed: Seen, original: Seen) -> Agreement:
    """Atoms of both that are the same, beside borders and contamination."""
    seen = _shared(disturbed, original, disturbed.seen_rowcol, original.seen_rowcol)
    measured = _shared(disturbed, original, disturbed.rowcol, original.rowcol)
    return Agreement(*seen, *measured)


def _shared(
    disturbed: Seen,
    original: Seen,
    here: NDArray[np.float64],
    there: NDArray[np.float64],
) -> tuple[Tally, Tally]:
    """Recall and precision, of atoms at `here` with those at `there`."""
    pairs = match(here, there, MATCH_NM / original.pixel_size_nm)
    found = np.zeros(len(there), bool)
    right = np.zeros(len(here), bool)
    found[pairs.true] = right[pairs.found] = True
    counts_here, counts_there = (
        seen.within(BORDER_NM) & ~seen.in_contamination
        for seen in (disturbed, original)
    )
    return Tally.count(found[counts_there]), Tally.count(right[counts_here])


def with_noise(
    analyser: Analyser,
    recording: Recording,
    seen: list[Seen],
    factor: float,
    seed: int = 1,
) -> Agreement:
    """With `factor` times the noise of each frame."""
    rng = np.random.default_rng(seed)
    total = Agreement()
    for _ in range(-(-DRAWS // len(seen))):
        for number, original in enumerate(seen):
            frame = recording.frame(number)
            image = noisier(
                recording.images[number], recording.pixel_size_nm, factor, rng
            )
            worse = replace(frame, image=image)
            total += agreement(look_again(analyser, worse, original), original)
    return total


def with_wrong_scale(
    analyser: Analyser, recording: Recording, seen: list[Seen], scale: float
) -> Agreement:
    """Told that pixels are `scale` times as wide as they are."""
    total = Agreement()
    for number, original in enumerate(seen):
        told = replace(
            recording.frame(number), pixel_size_nm=recording.pixel_size_nm * scale
        )
        total += agreement(look_again(analyser, told, original), original)
    return total
