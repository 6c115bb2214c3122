"""Movies that no training used, each exposed under several microscopes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from inference.analyse import Analyser, History
from inference.evaluation.comparison import Comparison, compare
from streamer.frame import Stream
from streamer.simulator.microscope import Microscope, scaled_microscope
from streamer.simulator.movie import (
    CHANNEL,
    SOURCE,
    Exposure,
    Movie,
    Specimen,
    evolve,
    expose,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to look at the sheet."""

    name: str
    dose: float = 1.0
    """Relative to 20 pA x 33.5 s over 16 nm a side."""
    field_nm: float = 16.0
    """At most the movie's: of a smaller field only its corner is seen."""
    size_px: int = 1024

    @property
    def microscope(self) -> Microscope:
        """The acquisition."""
        return scaled_microscope(self.size_px, self.field_nm, self.dose)


NOMINAL = Condition("nominal dose")
CONDITIONS = (
    NOMINAL,
    Condition("4 x dose", dose=4),
    Condition("1/4 dose", dose=0.25),
    Condition("1/10 dose", dose=0.1),
    Condition("0.010 nm a pixel", field_nm=10.24),
    Condition("0.020 nm a pixel", size_px=800),
    Condition("0.030 nm a pixel", size_px=533),
)


def specimens(seed: int, frames: tuple[int, ...]) -> Iterator[tuple[int, Specimen]]:
    """The sheet of one movie of 50 frames when the chosen ones begin."""
    for index, specimen in enumerate(evolve(Movie(), np.random.default_rng(seed))):
        if index in frames:
            yield index, specimen
        if index == max(frames):
            return


def exposed(
    specimen: Specimen, condition: Condition, seed: int, index: int
) -> Exposure:
    """The specimen as this microscope sees it; noise is the same for the same seed."""
    rng = np.random.default_rng([seed, index])
    return expose(specimen.sheet, [specimen.blob], condition.microscope, index, rng)


def compared(analyser: Analyser, exposure: Exposure) -> Comparison:
    """One simulated frame, analysed, beside its truth."""
    frame = exposure.frame(Stream("evaluation", SOURCE, CHANNEL), epoch_ns=0)
    analysis = analyser.analyse(frame, History())
    pixel_size_nm = exposure.microscope.pixel_size_nm
    return compare(analysis.atoms, exposure.truth, frame.shape, pixel_size_nm)
