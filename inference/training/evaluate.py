"""One table: how good a model is on held-out movies, over dose and pixel size."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np

from inference.analyse import Analyser, History
from inference.scoring import Score, score
from inference.training.progress import Progress
from streamer.frame import Stream
from streamer.simulator.microscope import Microscope, scaled_microscope
from streamer.simulator.movie import CHANNEL, SOURCE, Exposure, Movie, simulate

SEEDS = (1001, 1002)
"""No training uses these."""
FRAMES = (3, 25, 45)


@dataclass(frozen=True, slots=True)
class Condition:
    """One row of the table."""

    name: str
    dose: float = 1.0
    """Relative to 20 pA x 33.5 s over 16 nm a side."""
    field_nm: float = 16.0
    size_px: int = 1024

    @property
    def microscope(self) -> Microscope:
        """The acquisition."""
        return scaled_microscope(self.size_px, self.field_nm, self.dose)


CONDITIONS = (
    Condition("nominal dose"),
    Condition("4 x dose", dose=4),
    Condition("1/4 dose", dose=0.25),
    Condition("1/10 dose", dose=0.1),
    Condition("0.010 nm a pixel", field_nm=10.24),
    Condition("0.020 nm a pixel", size_px=800),
    Condition("0.030 nm a pixel", size_px=533),
)


def evaluate(analyser: Analyser, progress: Progress) -> dict[str, dict[str, float]]:
    """Mean scores over frames early, midway and late in two movies, by condition."""
    table = {}
    for number, condition in enumerate(CONDITIONS, start=1):
        scores = [
            asdict(score_exposure(analyser, exposure))
            for seed in SEEDS
            for exposure in exposures(condition, seed)
        ]
        table[condition.name] = {
            name: float(np.nanmean([row[name] for row in scores])) for name in scores[0]
        }
        progress(number, len(CONDITIONS))
    return table


def exposures(condition: Condition, seed: int) -> Iterator[Exposure]:
    """The frames of one movie that are scored."""
    movie = Movie(frames=max(FRAMES) + 1, microscope=condition.microscope)
    for exposure in islice(simulate(movie, seed), max(FRAMES) + 1):
        if exposure.index in FRAMES:
            yield exposure


def score_exposure(analyser: Analyser, exposure: Exposure) -> Score:
    """How well one simulated frame is analysed."""
    frame = exposure.frame(Stream("evaluation", SOURCE, CHANNEL), epoch_ns=0)
    analysis = analyser.analyse(frame, History())
    return score(
        analysis.atoms,
        exposure.truth,
        frame.shape,
        exposure.microscope.pixel_size_nm,
    )
