"""A sample of a session's sub-images, cut from its probability maps as they lie."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import rotate

from inference.card import DcnnCard
from inference.describe import Describer
from inference.locate import locate
from inference.order_parameters import (
    order_parameters,
    orientation_deg,
)
from inference.paper_methods.window_size import (
    SIDE_PX,
    WINDOWS_NM,
    WindowSize,
    windows_of,
)
from inference.segment import Maps

WIDE_PX = 47
"""Side of what is kept around each atom, which lies on the middle pixel: a window can
be turned about it."""
INSIDE = slice(WIDE_PX // 2 - SIDE_PX // 2, WIDE_PX // 2 + SIDE_PX // 2)
"""Where in it the window lies, along both axes."""
WHOLE = 0.85
"""psi3 above which an atom has its three neighbours, and an angle to be told."""
FEWEST_LATTICE = 20
"""Such atoms in a frame that tell how the sheet lies."""
TURN_DEG = 60.0
"""A sheet turned by this is the same sheet, its sublattices exchanged."""

type Look = Callable[[], Maps | None]
"""The probability maps of one frame, made when they are asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class SubImages:
    """One row an atom, all turned by the same angle; of windows of one size."""

    wide: NDArray[np.float32]
    """(N, WIDE_PX, WIDE_PX): probability of an atom of any species, 0..1; right within
    the circle around the window."""
    described: NDArray[np.float32]
    """(N, …): what the session's own encoder gets to see of the atom, not turned."""
    angle_rad: NDArray[np.float32]
    """(N,): direction of the bonds in the turned sub-image, counter-clockwise on the
    screen, modulo 2π/3, from detected positions; NaN without any."""
    psi3: NDArray[np.float32]
    """(N,): see `OrderParameters`."""
    order: NDArray[np.float32]
    frame: NDArray[np.intp]
    """(N,): which of the frames looked at it is from."""

    def __len__(self) -> int:
        return len(self.wide)

    @property
    def windows(self) -> NDArray[np.float32]:
        """(N, SIDE_PX, SIDE_PX)."""
        return np.ascontiguousarray(self.wide[:, INSIDE, INSIDE])

    @property
    def with_angle(self) -> NDArray[np.bool_]:
        """(N,): whole atoms, whose angle is known."""
        return (self.psi3 > WHOLE) & np.isfinite(self.angle_rad)


@dataclass(frozen=True, slots=True)
class Seen:
    """How sub-images are seen."""

    card: DcnnCard
    """Of the network that made the maps."""
    describer: Describer
    """Of the session's own encoder."""
    sizes: tuple[WindowSize, ...]
    turn_rad: float = 0.0
    """By which all are turned, counter-clockwise on the screen."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many sub-images are drawn, and by which seed."""

    of_each_frame: int
    seed: int = 1


def turn_to(
    looks: Sequence[Look], card: DcnnCard, wanted_deg: float | None
) -> float | None:
    """Angle, rad, ± π/6, by which the sheet must turn to lie as is wanted.

    By the first frame in which there is a lattice to see; None where there is none.
    Nought where nothing is wanted.
    """
    for maps in (look() for look in looks):
        if maps is None:
            continue
        found = locate(maps.carbon, maps.silicon, card)
        order = order_parameters(found.rowcol * card.pixel_size_nm)
        whole = order.psi3 > WHOLE
        if np.count_nonzero(whole) < FEWEST_LATTICE:
            continue
        lies_deg = orientation_deg(order.angle_rad[whole])
        off_deg = 0.0 if wanted_deg is None else wanted_deg - lies_deg
        return math.radians(off_deg - TURN_DEG * round(off_deg / TURN_DEG))
    return None


def sample(
    looks: Sequence[Look],
    seen: Seen,
    share: Share,
    progress: Callable[[int, int], None],
) -> dict[WindowSize, SubImages]:
    """Sub-images of some atoms of each frame; sizes without any are left out.

    An atom is taken when its window lies within the frame however it is turned.
    """
    parts: dict[WindowSize, list[SubImages]] = {size: [] for size in seen.sizes}
    for number, look in enumerate(looks):
        maps = look()
        if maps is not None:
            for size, part in _of_frame(maps, seen, share, number):
                parts[size].append(part)
        progress(number + 1, len(looks))
    return {size: _joined(some) for size, some in parts.items() if some}


def _of_frame(
    maps: Maps, seen: Seen, share: Share, number: int
) -> Iterator[tuple[WindowSize, SubImages]]:
    found = locate(maps.carbon, maps.silicon, seen.card)
    order = order_parameters(found.rowcol * seen.card.pixel_size_nm)
    turned, to_turned = _turned(maps, seen.turn_rad)
    for size in seen.sizes:
        rng = np.random.default_rng([share.seed, number])
        inside = np.flatnonzero(_is_inside(maps, found.rowcol, seen.card, size))
        chosen = np.sort(rng.permutation(inside)[: share.of_each_frame])
        if len(chosen) == 0:
            continue
        rowcol, some = found.rowcol[chosen], order[chosen]
        wide = windows_of(size, seen.card.pixel_size_nm, WIDE_PX)
        angle = some.angle_rad + np.float32(seen.turn_rad)
        yield (
            size,
            SubImages(
                wide=wide.describe(turned, to_turned(rowcol)).rows,
                described=seen.describer.describe(maps, rowcol).rows,
                angle_rad=angle,
                psi3=some.psi3,
                order=some.order,
                frame=np.full(len(chosen), number, np.intp),
            ),
        )


def _is_inside(
    maps: Maps, rowcol: NDArray[np.float64], card: DcnnCard, size: WindowSize
) -> NDArray[np.bool_]:
    """(N,): atoms around which the circle about the window lies within the frame."""
    reach_px = SIDE_PX / 2 * math.sqrt(2) * WINDOWS_NM[size] / card.pixel_size_nm
    last = np.array(maps.carbon.shape) - 1
    inside = np.minimum(rowcol, last - rowcol).min(axis=1, initial=np.inf) >= reach_px
    return np.asarray(inside)


def _turned(
    maps: Maps, angle_rad: float
) -> tuple[Maps, Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """Maps turned counter-clockwise on the screen, and where positions come to lie."""
    if angle_rad == 0:
        return maps, lambda rowcol: rowcol
    image = maps.carbon + maps.silicon
    turned = rotate(image, math.degrees(angle_rad), order=1)
    before, after = (np.array(each.shape) / 2 - 0.5 for each in (image, turned))
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    # (down, right) of a turn by which right goes up.
    matrix = np.array([[cos, -sin], [sin, cos]])

    def to_turned(rowcol: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((rowcol - before) @ matrix.T + after, np.float64)

    return Maps(turned, np.zeros_like(turned), maps.grid), to_turned


def _joined(parts: list[SubImages]) -> SubImages:
    names = [field.name for field in fields(SubImages)]
    columns: Mapping[str, NDArray[np.generic]] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in names
    }
    return SubImages(**columns)  # type: ignore[arg-type] # of each field its own type
