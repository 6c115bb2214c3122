"""Where each atom is and of what species: the network's word, measured on the frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.card import DcnnCard
from inference.locate import Peaks
from inference.refinement.bands import refine_in_bands
from inference.refinement.probe import Probe
from inference.refinement.refine import Detections, Fate, Refined
from inference.resample import Grid
from inference.species import silicon_probability
from streamer.atoms import SPECIES

SILICON = SPECIES.index("Si")
SURE_NM = 0.01
"""Uncertainty at which a measured position counts as much as the network's: that of the
nominal dose."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """The atoms of a frame; positions are (N, 2), (row, col) in its pixels."""

    rowcol: NDArray[np.float64]
    """As measured; where that was not possible, as the network had it."""
    sigma_px: NDArray[np.float64]
    """Standard uncertainty; NaN where the position is the network's."""
    net: NDArray[np.float64]
    """The network's own; NaN for an atom that it did not see."""
    on_maps: NDArray[np.float64]
    """Where the atom is on the probability maps, in their pixels."""
    peak: NDArray[np.intp]
    """(N,): which of the network's peaks it is; -1 for an atom that it did not see."""
    score: NDArray[np.float32]
    species: NDArray[np.uint8]
    probe: Probe | None
    """As found in the frame; None where it could not be."""

    def __len__(self) -> int:
        return len(self.score)

    def smooth(self) -> NDArray[np.float64]:
        """(N, 2): the network's positions, where it has them.

        They lean on the lattice around an atom, and so scatter less than measured ones,
        whose noise would lengthen every bond; averages over a frame do not mind that
        they hide what a single atom does.
        """
        return np.where(np.isfinite(self.net), self.net, self.rowcol)

    def tempered(self, pixel_size_nm: float) -> NDArray[np.float64]:
        """(N, 2): between smooth and measured positions, as far as these are sure.

        Lengths averaged over smooth ones are up to a thousandth too long where a sheet
        is torn; over measured ones they scatter as much at a quarter of the dose.
        """
        noise = self.sigma_px * pixel_size_nm / SURE_NM
        share = np.nan_to_num(1 / (1 + noise**2))
        smooth = self.smooth()
        return smooth + share * (self.rowcol - smooth)


def place_by_network(peaks: Peaks, grid: Grid, card: DcnnCard) -> Placed:
    """The atoms where, and as what, the network sees them."""
    net = grid.to_frame(peaks.rowcol)
    unknown = np.full(len(peaks), np.nan)
    return Placed(
        rowcol=net,
        sigma_px=np.full(net.shape, np.nan),
        net=net,
        on_maps=peaks.rowcol,
        peak=np.arange(len(peaks)),
        score=peaks.score,
        species=_species(peaks.silicon_share, unknown, card),
        probe=None,
    )


def place_by_fit(
    image: NDArray[np.float32],
    peaks: Peaks,
    grid: Grid,
    card: DcnnCard,
    pixel_size_nm: float,
) -> Placed:
    """The same, measured: false atoms left out, missed ones added.

    Parameters
    ----------
    image
        (rows, cols): the frame, finite.
    """
    seen = place_by_network(peaks, grid, card)
    given = Detections(seen.net, seen.species, seen.score)
    found = refine_in_bands(image, given, pixel_size_nm)
    added = len(found) - len(seen)
    net = np.concatenate([seen.net, np.full((added, 2), np.nan)])
    on_maps = np.concatenate(
        [seen.on_maps, grid.to_resampled(found.rowcol[len(seen) :])]
    )
    kept = found.fate != Fate.PRUNED
    return Placed(
        rowcol=found.rowcol[kept],
        sigma_px=found.sigma[kept],
        net=net[kept],
        on_maps=on_maps[kept],
        peak=np.concatenate([seen.peak, np.full(added, -1)])[kept],
        score=found.score[kept],
        species=_measured_species(peaks, found, card)[kept],
        probe=found.probe,
    )


def _measured_species(
    peaks: Peaks, found: Refined, card: DcnnCard
) -> NDArray[np.uint8]:
    """By share and brightness; of atoms that the network did not see, as fitted."""
    seen = len(peaks)
    known = _species(peaks.silicon_share, found.amplitude[:seen], card)
    return np.concatenate([known, found.species[seen:]])


def _species(
    share: NDArray[np.float32], brightness: NDArray[np.float64], card: DcnnCard
) -> NDArray[np.uint8]:
    probability = silicon_probability(share, brightness, card.silicon)
    return np.where(probability >= card.silicon.threshold, SILICON, 0).astype(np.uint8)
