"""Windows of each size to train the paper's methods on."""

from collections.abc import Mapping
from dataclasses import fields
from functools import partial

import numpy as np
from numpy.typing import NDArray

from inference.describe import Describer
from inference.order_parameters import orientation_deg
from inference.paper_methods.window_size import WINDOWS_NM, WindowSize, windows_of
from inference.training.base_model import BaseModel
from inference.training.bench import Bench
from inference.training.footage import Footage
from inference.training.progress import Progress
from inference.training.session_set import (
    HELD_OUT,
    SessionSource,
    SessionSubImages,
    subimages_of_session,
)
from inference.training.simulated_windows import (
    DescribedAtoms,
    describe_atoms,
    join_described,
)
from inference.training.subimage_set import Sight
from inference.training.unfinished import Arrays, Unfinished, readable

type BySize = Mapping[WindowSize, SessionSubImages]


def windows_of_session(
    source: SessionSource,
    sizes: tuple[WindowSize, ...],
    base: BaseModel,
    bench: Bench,
    held: Unfinished,
) -> BySize:
    """Windows of a session's own atoms, as the network of `base` sees them.

    Raises
    ------
    SessionError
        As for `subimages_of_session`.
    """
    card = base.model.card.dcnn
    found: dict[WindowSize, SessionSubImages] = {}
    for size in sizes:
        sight = Sight(base.model.segment, card, windows_of(size, card.pixel_size_nm))
        with bench.stage(f"cutting {size} windows") as report:
            arrays = held.arrays(
                f"windows-{size}",
                partial(subimages_of_session, source, sight, report),
            )
        with readable(held.path(f"windows-{size}")):
            found[size] = SessionSubImages(**arrays)
    return found


def simulated_windows(
    footage: Footage, seed: int, base: BaseModel, bench: Bench, held: Unfinished
) -> BySize:
    """Windows of simulated movies, as the network of `base` sees them."""
    with bench.stage("simulating sub-images") as report:
        arrays = held.arrays("windows", lambda: _simulated(footage, seed, base, report))
    common = [one.name for one in fields(SessionSubImages) if one.name != "rows"]
    with readable(held.path("windows")):
        told = {name: arrays[name] for name in common}
        return {size: SessionSubImages(arrays[size], **told) for size in WINDOWS_NM}


def orientation_of(data: BySize) -> float | None:
    """How the sheet lies in these windows, degrees; None where no lattice is seen."""
    angle = np.concatenate([one.angle_rad for one in data.values()])
    return orientation_deg(angle) if np.isfinite(angle).any() else None


def _simulated(
    footage: Footage, seed: int, base: BaseModel, progress: Progress
) -> Arrays:
    card = base.model.card.dcnn
    describers: dict[str, Describer] = {
        size: windows_of(size, card.pixel_size_nm) for size in WINDOWS_NM
    }
    parts: list[DescribedAtoms] = []
    numbers: list[NDArray[np.intp]] = []
    for shot in footage.shot(np.random.default_rng(seed)):
        for exposure, rng in shot.exposures():
            every = describe_atoms(exposure, card, base.model.segment, describers)
            parts.append(every.chosen(shot.drawn(len(every), rng)))
            numbers.append(np.full(len(parts[-1]), len(numbers), np.intp))
            progress(len(parts), footage.movies * shot.movie.frames)
    joined = join_described(parts)
    ranks = np.random.default_rng([seed, len(parts)]).permutation(len(joined))
    return {
        **joined.rows,
        "angle_rad": joined.angle_rad,
        "order": joined.crystallinity,
        "frame": np.concatenate(numbers),
        "held_out": ranks < HELD_OUT * len(joined),
    }
