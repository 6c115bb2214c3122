"""Large frames fitted in bands of rows, so that memory is bounded.

Bands overlap by much more than atoms reach, and of each only what lies between the
middles of its overlaps is kept. Each finds its own probe, background and noise: what
differs by that is a small part of an atom's uncertainty.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inference.refinement.refine import Detections, Refined, refine

MOST_PX = 2**22
"""Of a frame, or of a band without its overlaps; the fit takes some 130 bytes for each
above what else there is."""
OVERLAP_NM = 1.0
"""Beyond a band's own rows, on either side: clouds vary over 0.44 nm, a probe's tail
over less."""


@dataclass(frozen=True, slots=True)
class Band:
    """Rows of a frame: those that are fitted, and those whose atoms are kept."""

    fitted: slice
    kept: slice

    def holds(self, row: NDArray[np.floating]) -> NDArray[np.bool_]:
        """(N,): atoms in the kept rows; each atom of a frame is in those of one."""
        return _within(row, self.kept)

    def sees(self, row: NDArray[np.floating]) -> NDArray[np.bool_]:
        """(N,): atoms in the fitted rows."""
        return _within(row, self.fitted)


def refine_in_bands(
    image: NDArray[np.float32],
    given: Detections,
    pixel_size_nm: float,
    most_px: int = MOST_PX,
) -> Refined:
    """The atoms of a frame of any size, as `refine` gives those of a small one.

    Parameters
    ----------
    most_px
        Pixels up to which a frame is fitted as a whole.
    """
    if image.size <= most_px:
        return _refined(image, given, pixel_size_nm)
    parts = [
        (band, _of_band(image, given, pixel_size_nm, band))
        for band in bands_of((image.shape[0], image.shape[1]), pixel_size_nm, most_px)
    ]
    return _together(parts, given)


def bands_of(
    shape: tuple[int, int], pixel_size_nm: float, most_px: int
) -> Iterator[Band]:
    """Bands of about equal height that cover a frame."""
    rows, cols = shape
    overlap = max(1, round(OVERLAP_NM / pixel_size_nm))
    count = -(-rows * cols // most_px)
    edges = np.linspace(0, rows, min(count, rows) + 1).round().astype(int).tolist()
    for first, last in pairwise(edges):
        fitted = slice(max(0, first - overlap), min(rows, last + overlap))
        # What rounds to before the first row, or behind the last, belongs to them.
        kept = slice(first if first else -rows, last if last < rows else 2 * rows)
        yield Band(fitted, kept)


def _within(row: NDArray[np.floating], rows: slice) -> NDArray[np.bool_]:
    return np.asarray((row >= rows.start - 0.5) & (row < rows.stop - 0.5))


def _refined(
    image: NDArray[np.float32], given: Detections, pixel_size_nm: float
) -> Refined:
    return refine(image, given.rowcol, given.species, given.score, pixel_size_nm)


def _of_band(
    image: NDArray[np.float32], given: Detections, pixel_size_nm: float, band: Band
) -> Refined:
    """All atoms that the band sees, in the frame's pixels, added ones behind them."""
    seen = band.sees(given.rowcol[:, 0])
    down = np.array([band.fitted.start, 0])
    found = _refined(
        image[band.fitted],
        Detections(given.rowcol[seen] - down, given.species[seen], given.score[seen]),
        pixel_size_nm,
    )
    moved = {field.name: getattr(found, field.name) for field in fields(found)}
    return Refined(**{**moved, "rowcol": found.rowcol + down})


def _together(parts: list[tuple[Band, Refined]], given: Detections) -> Refined:
    """Of each atom what the band that holds it says, and behind them the added."""
    rows = given.rowcol[:, 0]
    order, chosen, added = [], [], []
    for band, found in parts:
        seen = np.flatnonzero(band.sees(rows))
        mine = np.flatnonzero(band.holds(rows[seen]))
        order.append(seen[mine])
        chosen.append(_rows(found, mine))
        new = np.arange(len(seen), len(found))
        added.append(_rows(found, new[band.holds(found.rowcol[new, 0])]))
    back = np.argsort(np.concatenate(order), kind="stable")
    probe = parts[len(parts) // 2][1].probe
    columns = {
        name: np.concatenate(
            [
                np.concatenate([part[name] for part in chosen])[back],
                *(part[name] for part in added),
            ]
        )
        for name in chosen[0]
    }
    return Refined(**columns, probe=probe)


def _rows(found: Refined, rows: NDArray[np.intp]) -> dict[str, NDArray[np.generic]]:
    names = (field.name for field in fields(found) if field.name != "probe")
    return {name: getattr(found, name)[rows] for name in names}
