"""What a model finds in one frame of a recording."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.analyse import Analyser, History
from inference.evaluation.real.contamination import contaminated
from inference.evaluation.real.folder import Recording
from streamer.atoms import SPECIES, Atoms
from streamer.frame import Frame


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The atoms of one frame, and where contamination hides the sheet."""

    atoms: Atoms
    pixel_size_nm: float
    """The true one, whatever the analysis was told."""
    hidden: NDArray[np.bool_]
    """(rows, cols)"""
    flags: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        rows, cols = self.hidden.shape
        return rows, cols

    @property
    def rowcol(self) -> NDArray[np.float64]:
        """(N, 2): final positions, pixels."""
        return _stacked(self.atoms.row_px, self.atoms.col_px)

    @property
    def net_rowcol(self) -> NDArray[np.float64]:
        """(N, 2): the network's own positions, pixels; NaN where it saw no atom."""
        return _stacked(self.atoms.row_net_px, self.atoms.col_net_px)

    @property
    def seen_rowcol(self) -> NDArray[np.float64]:
        """(N, 2): the network's positions; measured ones where it saw no atom."""
        net = self.net_rowcol
        return np.where(np.isfinite(net), net, self.rowcol)

    @property
    def silicon(self) -> NDArray[np.bool_]:
        """(N,): whether each atom is Si."""
        return np.asarray(self.atoms.species == SPECIES.index("Si"))

    @property
    def in_contamination(self) -> NDArray[np.bool_]:
        """(N,): whether each atom lies under contamination."""
        row, col = np.rint(self.rowcol).astype(np.intp).T
        rows, cols = self.shape
        return np.asarray(
            self.hidden[row.clip(0, rows - 1), col.clip(0, cols - 1)], np.bool_
        )

    def within(self, margin_nm: float) -> NDArray[np.bool_]:
        """(N,): atoms farther than this from the border of the frame."""
        far = (np.array(self.shape) - 0.5) - margin_nm / self.pixel_size_nm
        near = margin_nm / self.pixel_size_nm - 0.5
        return np.asarray(((self.rowcol > near) & (self.rowcol < far)).all(axis=1))


def look(analyser: Analyser, recording: Recording, number: int) -> Seen:
    """Analyse one frame as it is."""
    image, size = recording.images[number], recording.pixel_size_nm
    atoms, flags = _analyse(analyser, recording.frame(number))
    return Seen(atoms, size, contaminated(image, size), flags)


def look_again(analyser: Analyser, changed: Frame, before: Seen) -> Seen:
    """Analyse a frame of which something was changed.

    Parameters
    ----------
    before
        What was found in the frame as it was: its scale is the true one, and
        contamination stays where it is.
    """
    atoms, flags = _analyse(analyser, changed)
    return Seen(atoms, before.pixel_size_nm, before.hidden, flags)


def _analyse(analyser: Analyser, frame: Frame) -> tuple[Atoms, tuple[str, ...]]:
    analysis = analyser.analyse(frame, History())
    return analysis.atoms, tuple(analysis.flags)


def _stacked(row: NDArray[np.float32], col: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.stack([row, col], axis=1).astype(np.float64)
