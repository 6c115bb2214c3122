"""Whether positions are measured or guessed: atoms that are off their lattice sites.

On a whole lattice whoever answers with the ideal site looks excellent. Here atoms are
displaced by known amounts, and what is asked is how much of it comes back (the slope),
with what error (against the Cramér-Rao bound of the same scene), and whether the error
bars are right. Each alone can be fooled.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.analyse import Analyser, History
from inference.evaluation.displaced import DisplacedScene
from inference.matching import MATCH_NM, match
from streamer.atoms import Atoms
from streamer.frame import Frame, Stream
from streamer.simulator.movie import CHANNEL, SOURCE

BORDER_NM = 0.3
"""Atoms nearer to the border are not measured: the bound is of whole images."""


@dataclass(frozen=True, slots=True)
class PositionFigures:
    """Of all atoms of one scene that were seen at all, both axes together."""

    recall: float
    """Share of the atoms that are measured."""
    slope: float
    """Of measured against true displacement: 1 is honest, 0 reports the ideal site."""
    rmsd_pm: float
    """Radial."""
    bound_pm: float
    """The smallest radial error that an unbiased estimate can have."""
    rmsd_over_bound: float
    in_one_sigma: float
    """Share within the reported standard uncertainty, an axis; 0.683 is right."""
    with_sigma: float
    """Share of atoms that have one."""
    net_slope: float
    """The same for the network's own positions."""
    net_rmsd_pm: float


def position_figures(analyser: Analyser, scene: DisplacedScene) -> PositionFigures:
    """Analyse the scene, and compare."""
    stream = Stream("displaced", SOURCE, CHANNEL)
    frame = Frame(stream, 0, scene.image, pixel_size_nm=scene.pixel_size_nm)
    return measured(analyser.analyse(frame, History()).atoms, scene)


def measured(atoms: Atoms, scene: DisplacedScene) -> PositionFigures:
    """Compare the positions of an analysis with those of the scene."""
    size = scene.pixel_size_nm
    net = _stacked(atoms.row_net_px, atoms.col_net_px) * size
    final = _stacked(atoms.row_px, atoms.col_px) * size
    sites, true = scene.sites * size, scene.true * size
    asked = _inside(true, np.array(scene.image.shape) * size)
    # By where the network saw them: a bad fit must not get rid of its atoms.
    pairs = match(np.where(np.isfinite(net), net, final), true, MATCH_NM)
    kept = asked[pairs.true]
    here, there = pairs.found[kept], pairs.true[kept]
    net_slope, net_rmsd = _slope_and_rmsd(net[here], sites[there], true[there])
    final_slope, rmsd = _slope_and_rmsd(final[here], sites[there], true[there])
    bound = math.sqrt(_mean(scene.bound[there].sum(axis=1))) * size
    sigma = _stacked(atoms.y_sigma_nm, atoms.x_sigma_nm)[here]
    known = np.isfinite(sigma).all(axis=1)
    error = np.abs(final[here] - true[there])
    return PositionFigures(
        recall=len(there) / max(int(asked.sum()), 1),
        slope=final_slope,
        rmsd_pm=rmsd * 1e3,
        bound_pm=bound * 1e3,
        rmsd_over_bound=rmsd / bound,
        in_one_sigma=_mean((error <= sigma)[known]),
        with_sigma=_mean(known),
        net_slope=net_slope,
        net_rmsd_pm=net_rmsd * 1e3,
    )


def _inside(
    rowcol_nm: NDArray[np.float64], extent_nm: NDArray[np.float64]
) -> NDArray[np.bool_]:
    far = (rowcol_nm > BORDER_NM) & (rowcol_nm < extent_nm - BORDER_NM)
    return np.asarray(far.all(axis=1))


def _slope_and_rmsd(
    found: NDArray[np.float64], site: NDArray[np.float64], true: NDArray[np.float64]
) -> tuple[float, float]:
    """Of the atoms whose position is known: (N, 2) each, in one unit."""
    known = np.isfinite(found).all(axis=1)
    found, site, true = found[known], site[known], true[known]
    rmsd = math.sqrt(_mean(((found - true) ** 2).sum(axis=1)))
    return slope(found - site, true - site), rmsd


def slope(measured: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    """Least squares of measured against true displacements, (N, 2) each.

    A shift of all atoms together does not count.
    """
    if len(true) < 2:
        return math.nan
    centred = true - true.mean(axis=0)
    return float((centred * measured).sum() / (centred**2).sum())


def _mean(values: NDArray[np.floating] | NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _stacked(
    row: NDArray[np.floating], col: NDArray[np.floating]
) -> NDArray[np.float64]:
    return np.stack([row, col], axis=1).astype(np.float64)
