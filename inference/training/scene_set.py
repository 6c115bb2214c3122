"""The segmentation network's training set, simulated by several processes.

Nothing here needs torch, which each of the processes would have to load.
"""

import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import wait

import numpy as np

from inference.training.progress import Progress
from inference.training.scenes import Scene, damaged_sheets, scenes
from inference.training.unfinished import Arrays, Unfinished
from streamer.errors import ModelError

STOPPING = (signal.SIGINT, signal.SIGTERM)


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
        They cannot be kept, or those that are there cannot be read; or a process that
        simulates was killed.
    """
    numbers = range(math.ceil(wanted.scenes / wanted.scenes_per_movie))
    parts = {number: kept.kept_arrays(_name(number)) for number in numbers}
    missing = [number for number, part in parts.items() if part is None]
    made: list[Scene] = []
    with _simulating(wanted, missing, workers) as tasks:
        for number, part in parts.items():
            if part is None:
                part = kept.keep_arrays(_name(number), tasks[number].result())
            made += _scenes(part)
            progress(len(made), wanted.scenes)
    return made


@contextmanager
def _simulating(
    wanted: SceneSet, missing: list[int], workers: int
) -> Iterator[dict[int, Future[Arrays]]]:
    """Block in which processes simulate these movies; its end cancels the rest."""
    # Fresh processes: a copy of this one would inherit the locks of its threads.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, fresh, _live_with_parent) as pool:
        try:
            with _undisturbed():
                tasks = {
                    number: pool.submit(simulate_part, wanted, number)
                    for number in missing
                }
            yield tasks
        except BrokenProcessPool as error:
            raise ModelError(
                "a process that simulates was killed, maybe for want of memory, of "
                "which fewer --threads take less; the same command goes on from there"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Block in which processes are started; a signal that comes acts when it ends.

    What a handler raises amid the start of a process would leave one that nobody tells
    what to do. The new processes never get a Ctrl-C.
    """
    came: list[int] = []
    handlers = {each: signal.getsignal(each) for each in STOPPING}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for each in STOPPING:
            # The mask alone lets another thread take it, for the handler of this one.
            signal.signal(each, lambda number, _: came.append(number))
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for each, handler in handlers.items():
            signal.signal(each, handler)
        for number in came:
            signal.raise_signal(number)


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
    """End with the parent, even one that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()


def _follow(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
