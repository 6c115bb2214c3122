"""The segmentation network's training set, simulated by several processes.

Nothing here needs torch, which each of the processes would have to load.
"""

import math
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import wait

import numpy as np

from inference.training.progress import Progress
from inference.training.scenes import Scene, damaged_sheets, scenes
from inference.training.unfinished import Arrays, Unfinished


@dataclass(frozen=True, slots=True)
class SceneSet:
    """Everything that the scenes depend on."""

    scenes: int
    scenes_per_movie: int
    """Cut from the stages of one simulated movie."""
    seed: int


def simulate_scenes(
    wanted: SceneSet, workers: int, kept: Unfinished, progress: Progress
) -> list[Scene]:
    """The scenes, the same for the same seed however many processes simulate them.

    Those of a run before are not simulated again.

    Raises
    ------
    ModelError
        They cannot be kept, or those that are there cannot be read.
    """
    numbers = range(math.ceil(wanted.scenes / wanted.scenes_per_movie))
    parts = {number: kept.kept_arrays(_name(number)) for number in numbers}
    made: list[Scene] = []
    # Fresh processes: a copy of this one would inherit the locks of its threads.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, fresh, _live_with_parent) as pool:
        tasks = {
            number: pool.submit(simulate_part, wanted, number)
            for number, part in parts.items()
            if part is None
        }
        try:
            for number, part in parts.items():
                if part is None:
                    part = kept.keep_arrays(_name(number), tasks[number].result())
                made += _scenes(part)
                progress(len(made), wanted.scenes)
        finally:
            pool.shutdown(cancel_futures=True)
    return made


def simulate_part(wanted: SceneSet, number: int) -> Arrays:
    """The scenes of one movie, stacked."""
    rng = np.random.default_rng([wanted.seed, number])
    left = wanted.scenes - number * wanted.scenes_per_movie
    count = min(left, wanted.scenes_per_movie)
    made = list(islice(scenes(damaged_sheets(rng), rng), count))
    return {
        "image": np.stack([scene.image for scene in made]),
        "atom": np.stack([scene.atom for scene in made]),
        "silicon": np.stack([scene.silicon for scene in made]),
    }


def _scenes(part: Arrays) -> list[Scene]:
    return [
        Scene(image, atom, silicon)
        for image, atom, silicon in zip(
            part["image"], part["atom"], part["silicon"], strict=True
        )
    ]


def _name(number: int) -> str:
    return f"scenes-{number:04d}"


def _live_with_parent() -> None:
    """End with the parent, even one that was killed; leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()


def _follow(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
