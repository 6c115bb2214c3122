"""Simulated scenes: the same for the same seed, and not simulated twice."""

from pathlib import Path

import numpy as np
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
