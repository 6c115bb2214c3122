"""Sub-images to train the encoder on, with what is known about each."""

from dataclasses import dataclass, fields
from functools import partial

import numpy as np
from numpy.typing import NDArray

from inference.card import DcnnCard, SiliconRule
from inference.describe import Describer
from inference.locate import locate
from inference.matching import MATCH_NM, match
from inference.segment import Maps, segment
from inference.tiles import Network
from inference.training.dcnn import CLASSES, STRIDE_PX
from inference.training.footage import Footage, Shot
from inference.training.progress import Progress
from inference.training.scenes import PIXEL_SIZE_NM
from inference.training.unfinished import Arrays, Unfinished, readable
from streamer.simulator.movie import Exposure


@dataclass(frozen=True, slots=True, eq=False)
class SubImageSet:
    """One row a detected atom."""

    rows: NDArray[np.float32]
    """(N, …): what the encoder gets to see, see `inference.describe`."""
    angle_rad: NDArray[np.float32]
    """(N,): true orientation, modulo 2π/3; or, where no truth is known, that of the
    detected neighbours, NaN without any."""
    crystallinity: NDArray[np.float32]
    """(N,): true order, 0..1; or, where no truth is known, that of the detected
    positions (`inference.order_parameters`)."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def harmonics(self) -> NDArray[np.float32]:
        """(N, F, 2): the real and imaginary parts that rows of harmonics are."""
        return self.rows.reshape(len(self.rows), -1, 2)

    def chosen(self, rows: NDArray[np.intp]) -> "SubImageSet":
        """Those in these rows."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return SubImageSet(**{name: one[rows] for name, one in columns.items()})


@dataclass(frozen=True, slots=True)
class Sight:
    """What makes sub-images of a frame."""

    network: Network
    card: DcnnCard
    """How the network is to be used."""
    describer: Describer


def join(parts: list[SubImageSet]) -> SubImageSet:
    """All rows of several sets."""
    names = [field.name for field in fields(SubImageSet)]
    return SubImageSet(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in names
        }
    )


def subimages_of(exposure: Exposure, seen_by: Sight) -> SubImageSet:
    """Sub-images of the atoms of one frame that are found and not hidden."""
    found = found_atoms(exposure, seen_by.card, seen_by.network)
    described = seen_by.describer.describe(found.maps, found.on_maps)
    whole = ~described.edge
    true, truth = found.true[whole], exposure.truth
    return SubImageSet(
        rows=described.rows[whole],
        angle_rad=truth.angle_rad[true],
        crystallinity=truth.crystallinity[true],
    )


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the network finds in a frame, and which of its atoms are true ones."""

    maps: Maps
    detected: NDArray[np.float64]
    """(M, 2): positions of all detected atoms on the maps."""
    rows: NDArray[np.intp]
    """(N,): those of them that are true atoms and not hidden."""
    true: NDArray[np.intp]
    """(N,): which true atoms they are."""

    @property
    def on_maps(self) -> NDArray[np.float64]:
        """(N, 2): where they were detected."""
        return self.detected[self.rows]


def found_atoms(exposure: Exposure, card: DcnnCard, network: Network) -> Found:
    """Detect the atoms of a simulated frame and look them up in its truth."""
    size = exposure.microscope.pixel_size_nm
    maps = segment(exposure.image, size, card, network)
    if maps is None:
        raise ValueError("a simulated frame too small for the network")
    peaks = locate(maps.carbon, maps.silicon, card)
    truth = exposure.truth
    true_px = np.stack([truth.row_px, truth.col_px], axis=1)
    pairs = match(maps.grid.to_frame(peaks.rowcol), true_px, MATCH_NM / size)
    seen = ~truth.hidden[pairs.true]
    return Found(maps, peaks.rowcol, pairs.found[seen], pairs.true[seen])


def simulate_subimages(
    footage: Footage, seed: int, seen_by: Sight, kept: Unfinished, progress: Progress
) -> SubImageSet:
    """Sub-images of simulated movies.

    Those of a run before are not simulated again.

    Raises
    ------
    ModelError
        They cannot be kept, or those that are there cannot be read.
    """
    parts = []
    for number, shot in enumerate(footage.shot(np.random.default_rng(seed))):
        make = partial(_of_movie, shot, seen_by)
        name = f"sub-images-{number:04d}"
        arrays = kept.arrays(name, make)
        with readable(kept.path(name)):
            parts.append(SubImageSet(**arrays))
        progress(number + 1, footage.movies)
    return join(parts)


def _of_movie(shot: Shot, seen_by: Sight) -> Arrays:
    parts = []
    for exposure, rng in shot.exposures():
        every = subimages_of(exposure, seen_by)
        parts.append(every.chosen(shot.drawn(len(every), rng)))
    found = join(parts)
    return {field.name: getattr(found, field.name) for field in fields(found)}


def unsaved_card(threshold: float) -> DcnnCard:
    """How a network that is still in memory is to be used."""
    return DcnnCard(
        file="unsaved.onnx",
        sha256="0" * 64,
        pixel_size_nm=PIXEL_SIZE_NM,
        stride_px=STRIDE_PX,
        classes=CLASSES,
        threshold=threshold,
        silicon=SiliconRule(),
    )
