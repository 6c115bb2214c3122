"""Simulated scenes: the same for the same seed, and not simulated twice."""

import gc
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
import psutil
import pytest

from inference.training.scene_set import SceneSet, simulate_part, simulate_scenes
from inference.training.unfinished import Unfinished, unfinished

WANTED = SceneSet(scenes=3, scenes_per_movie=2, seed=5)


class KilledError(Exception):
    pass


def killed(done: int, _total: int) -> None:
    if done == 2:
        raise KilledError


def ignored(_done: int, _total: int) -> None:
    pass


def spoil_first_scene(held: Unfinished) -> None:
    part = dict(held.kept_arrays("scenes-0000") or {})
    part["image"] = np.zeros_like(part["image"])
    held.keep_arrays("scenes-0000", part)


@pytest.mark.timeout(400)  # fresh processes on a busy machine
def test_scenes_do_not_depend_on_processes_and_are_not_simulated_twice(
    tmp_path: Path,
) -> None:
    here = simulate_part(WANTED, 1)
    with unfinished(tmp_path, {}, restart=False) as held:
        with pytest.raises(KilledError):
            simulate_scenes(WANTED, 2, held, killed)
        spoil_first_scene(held)
        resumed = simulate_scenes(WANTED, 1, held, ignored)
    assert len(resumed) == WANTED.scenes
    assert np.array_equal(here["image"], [resumed[2].image])
    assert np.array_equal(here["silicon"], [resumed[2].silicon])
    assert not resumed[0].image.any()


@contextmanager
def told_to_stop_amid_the_start_of_a_process() -> Iterator[None]:
    """SIGTERM, as soon as a process is there and before it was told what to do."""

    def raise_killed(_number: int, _frame: FrameType | None) -> None:
        raise KilledError

    def watch(frame: FrameType, event: str, _argument: object) -> None:
        if (event, frame.f_code.co_name) == ("return", "spawnv_passfds"):
            sys.setprofile(None)
            signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, raise_killed)
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)
        signal.signal(signal.SIGTERM, before)


def stopped_amid_the_start(folder: Path) -> bool:
    try:
        with (
            unfinished(folder, {}, restart=False) as held,
            told_to_stop_amid_the_start_of_a_process(),
        ):
            simulate_scenes(WANTED, 2, held, ignored)
    except KilledError:
        return True
    return False


def simulating() -> list[psutil.Process]:
    return [
        each
        for each in psutil.Process().children()
        if any("spawn_main" in word for word in each.cmdline())
    ]


@pytest.mark.timeout(400)
def test_a_stop_amid_the_start_of_a_process_leaves_none_without_its_task(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    wait_for: Callable[[Callable[[], bool], float], None],
) -> None:
    assert stopped_amid_the_start(tmp_path)
    gc.collect()  # what held the line to a process that was never told
    wait_for(lambda: not simulating(), 60)
    assert capfd.readouterr().err == ""
