"""Rotation in latents is found where it is, and nowhere else."""

import math

import numpy as np
import pytest

pytest.importorskip("sklearn")

from inference.paper_methods.leak import FEWEST, rotation_leak

COUNT = 1600
RNG = np.random.default_rng(3)
ANGLE = RNG.uniform(-math.pi / 3, math.pi / 3, COUNT)
HELD_OUT = np.arange(COUNT) % 4 == 0


def test_latents_that_hold_the_angle_tell_it() -> None:
    content = np.stack([np.cos(3 * ANGLE), np.sin(3 * ANGLE)], axis=1)
    assert rotation_leak(content, ANGLE, HELD_OUT) > 0.98


def test_it_is_found_however_it_is_hidden() -> None:
    # No straight line tells an angle from itself: it jumps where it closes.
    content = np.stack([ANGLE, RNG.normal(size=COUNT)], axis=1)
    assert rotation_leak(content, ANGLE, HELD_OUT) > 0.85


def test_latents_that_know_nothing_of_it_tell_nothing() -> None:
    content = RNG.normal(size=(COUNT, 2))
    assert abs(rotation_leak(content, ANGLE, HELD_OUT)) < 0.1


def test_what_was_learnt_by_heart_is_not_counted() -> None:
    """A latent that is another one for each atom tells all of those it was told."""
    content = RNG.permutation(COUNT)[:, None] * np.ones((1, 2))
    assert rotation_leak(content, ANGLE, HELD_OUT) < 0.1


def test_the_two_sublattices_are_rotation_too() -> None:
    which = RNG.integers(0, 2, COUNT)
    angle = np.where(which == 1, 0.3, 0.3 - math.pi / 3)
    assert rotation_leak(which[:, None].astype(float), angle, HELD_OUT) > 0.98


@pytest.mark.parametrize("count", [0, 1, FEWEST, 2 * FEWEST])
def test_of_too_few_atoms_nothing_is_said(count: int) -> None:
    content = np.zeros((count, 2))
    assert math.isnan(rotation_leak(content, ANGLE[:count], HELD_OUT[:count]))


def test_where_all_lie_alike_nothing_can_be_told() -> None:
    content = RNG.normal(size=(COUNT, 2))
    assert math.isnan(rotation_leak(content, np.full(COUNT, 0.4), HELD_OUT))
