"""What the beam does to the sheet between one frame and the next.

Atoms at edges are knocked out long before atoms of the bulk, so holes grow; bonds
near disorder rotate (Stone-Wales); Si hops towards edges and stays there; grains turn
against each other; bonds relax. Rates give a movie like that of Kalinin et al., Sci.
Adv. 7, eabd5084 (2021): from one grain to ragged fragments within 50 frames.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from streamer.simulator.sheet import (
    BOND_NM,
    CARBON,
    SILICON,
    SILICON_BOND_NM,
    Bonds,
    Sheet,
    find_bonds,
)

MERGE_NM = 0.105
"""Nearer than this two atoms cannot be: one of them has gone."""
SECOND_NEIGHBOUR_NM = 0.225
"""Unbonded atoms nearer than this push each other away."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Probabilities for one frame at the nominal dose."""

    edge_knockout: float = 0.06
    """For a C with a bond missing."""
    dangling_knockout: float = 0.4
    """For a C that hangs on one bond."""
    crowded_knockout: float = 0.3
    """For a C with more than three bonds, where grains were pushed together."""
    bulk_knockout: float = 2.5e-4
    """For a C with all its bonds."""
    silicon_knockout: float = 0.002
    bond_rotation: float = 0.004
    """For a bond that touches an atom without three bonds."""
    silicon_hop: float = 0.35
    fragment_turn_rad: float = math.radians(4)
    """Standard deviation of a grain's turn at the end of a movie of 50 frames."""


def irradiate(
    sheet: Sheet,
    damage: Damage,
    turns_rad: NDArray[np.float64],
    rng: np.random.Generator,
) -> Sheet:
    """The sheet one frame later.

    Parameters
    ----------
    turns_rad
        (fragments,): how far each grain turns during this frame.
    """
    sheet = _turn_fragments(sheet, turns_rad)
    bonds = find_bonds(sheet)
    sheet = _hop_silicon(sheet, bonds, damage, rng)
    sheet = _rotate_bonds(sheet, bonds, damage, rng)
    sheet = sheet.keep(~_knocked_out(sheet, bonds, damage, rng))
    return _merge_close(relax(sheet))


def fragment_turns(
    damage: Damage, fragments: int, frames: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(frames, fragments) turns in rad, growing as t^1.5 over a movie of 50 frames."""
    final = rng.normal(0, damage.fragment_turn_rad, fragments)
    progress = (np.arange(frames + 1) / 50) ** 1.5
    return np.diff(progress)[:, None] * final


def _turn_fragments(sheet: Sheet, turns_rad: NDArray[np.float64]) -> Sheet:
    xy = sheet.xy_nm.copy()
    for fragment, turn in enumerate(turns_rad):
        mine = sheet.fragment == fragment
        if not mine.any():
            continue
        centre = xy[mine].mean(axis=0)
        cos, sin = math.cos(turn), math.sin(turn)
        xy[mine] = (xy[mine] - centre) @ np.array([[cos, -sin], [sin, cos]]) + centre
    return sheet.moved(xy)


def _knocked_out(
    sheet: Sheet, bonds: Bonds, damage: Damage, rng: np.random.Generator
) -> NDArray[np.bool_]:
    chance = np.where(
        bonds.coordination < 3, damage.edge_knockout, damage.bulk_knockout
    )
    chance[bonds.coordination > 3] = damage.crowded_knockout
    chance[bonds.coordination == 1] = damage.dangling_knockout
    chance[bonds.coordination == 0] = 1.0
    bonded_silicon = (sheet.species == SILICON) & (bonds.coordination > 0)
    chance[bonded_silicon] = damage.silicon_knockout
    return rng.random(len(sheet)) < chance


def _rotate_bonds(
    sheet: Sheet, bonds: Bonds, damage: Damage, rng: np.random.Generator
) -> Sheet:
    """Turn a few bonds near disorder by 90° about their middle (Stone-Wales)."""
    disordered = bonds.coordination != 3
    candidates = bonds.pairs[disordered[bonds.pairs].any(axis=1)]
    chosen = candidates[rng.random(len(candidates)) < damage.bond_rotation]
    xy = sheet.xy_nm.copy()
    first, second = chosen.T
    middle = (xy[first] + xy[second]) / 2
    half = (xy[second] - xy[first])[:, ::-1] * np.array([-0.5, 0.5])
    xy[first], xy[second] = middle - half, middle + half
    return sheet.moved(xy)


def _hop_silicon(
    sheet: Sheet, bonds: Bonds, damage: Damage, rng: np.random.Generator
) -> Sheet:
    """Let Si in the bulk change places with the bonded C that is nearest to an edge."""
    edge = np.flatnonzero((bonds.coordination < 3) & (sheet.species == CARBON))
    if len(edge) == 0:
        return sheet
    to_edge = np.asarray(KDTree(sheet.xy_nm[edge]).query(sheet.xy_nm)[0])
    # Species change places, not positions: so `bonds` stay those of each place.
    species = sheet.species.copy()
    for atom in np.flatnonzero(sheet.species == SILICON):
        if bonds.coordination[atom] < 3 or rng.random() > damage.silicon_hop:
            continue
        touching = bonds.pairs[(bonds.pairs == atom).any(axis=1)].ravel()
        partners = touching[(touching != atom) & (species[touching] == CARBON)]
        if len(partners) == 0:
            continue
        partner = partners[np.argmin(to_edge[partners])]
        if to_edge[partner] < to_edge[atom]:
            species[atom], species[partner] = CARBON, SILICON
    return Sheet(sheet.xy_nm, species, sheet.fragment, sheet.field_nm)


def relax(sheet: Sheet, sweeps: int = 12, step: float = 0.2) -> Sheet:
    """Move atoms along the springs of their bonds, towards the bond's natural length.

    Unbonded atoms that come too near push each other away, softly. A whole lattice
    stays as it is.
    """
    xy = sheet.xy_nm.copy()
    for sweep in range(sweeps):
        if sweep % 4 == 0:
            now = sheet.moved(xy)
            bonded = find_bonds(now).pairs
            near = KDTree(xy).query_pairs(SECOND_NEIGHBOUR_NM, output_type="ndarray")
        natural = np.where(
            (sheet.species[bonded] == SILICON).any(axis=1), SILICON_BOND_NM, BOND_NM
        )
        pull = _spring(xy, bonded, natural)
        push = _spring(xy, near, np.full(len(near), SECOND_NEIGHBOUR_NM))
        unbonded = ~_is_in(near, bonded, len(xy))
        xy += step * _sum_forces(len(xy), bonded, pull)
        xy += 0.25 * step * _sum_forces(len(xy), near[unbonded], push[unbonded])
    return sheet.moved(xy)


def _spring(
    xy: NDArray[np.float64], pairs: NDArray[np.intp], length_nm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Elongation of each pair beyond `length_nm`, along the pair: (B, 2)."""
    along = xy[pairs[:, 1]] - xy[pairs[:, 0]]
    distance = np.maximum(np.linalg.norm(along, axis=1), 1e-6)
    stretched: NDArray[np.float64] = along * (1 - length_nm / distance)[:, None]
    return stretched


def _sum_forces(
    count: int, pairs: NDArray[np.intp], force: NDArray[np.float64]
) -> NDArray[np.float64]:
    total = np.empty((count, 2))
    for axis in range(2):
        total[:, axis] = np.bincount(pairs[:, 0], force[:, axis], count)
        total[:, axis] -= np.bincount(pairs[:, 1], force[:, axis], count)
    return total


def _is_in(
    pairs: NDArray[np.intp], others: NDArray[np.intp], count: int
) -> NDArray[np.bool_]:
    """True for each of `pairs` that is also one of `others` (both sorted in a pair)."""
    return np.isin(
        pairs[:, 0] * count + pairs[:, 1], others[:, 0] * count + others[:, 1]
    )


def _merge_close(sheet: Sheet) -> Sheet:
    pairs = KDTree(sheet.xy_nm).query_pairs(MERGE_NM, output_type="ndarray")
    gone = np.where(sheet.species[pairs[:, 0]] == SILICON, pairs[:, 1], pairs[:, 0])
    mask = np.ones(len(sheet), bool)
    mask[gone] = False
    return sheet.keep(mask)
