from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.evaluation.comparison import Comparison
from inference.evaluation.order import (
    at_defect,
    order_figures,
    rotation_leak,
    with_products,
)
from inference.evaluation.ranks import auc, rank_correlation
from streamer.simulator.truth import Truth

type Columns = dict[str, NDArray[np.generic]]
type Compare = Callable[[Columns], Comparison]

RNG = np.random.default_rng(3)
ANGLE = RNG.uniform(-2 * np.pi, 2 * np.pi, 4000)
NOISE = RNG.normal(size=(4000, 2))
WAVE = np.stack([np.cos(3 * ANGLE), np.sin(3 * ANGLE)], axis=1)


@pytest.mark.parametrize(
    ("latents", "linear", "quadratic"),
    [
        (WAVE, 1.0, 1.0),
        (7 + 0.01 * WAVE @ [[1, 2], [-3, 1]], 1.0, 1.0),
        (WAVE[:, :1], 0.5, 0.5),
        (WAVE + NOISE * np.sqrt(0.5), 0.5, 0.5),
        (NOISE, 0.0, 0.0),
        (np.stack([np.cos(1.5 * ANGLE), np.sin(1.5 * ANGLE)], axis=1), 0.0, 1.0),
        (np.zeros((4000, 2)), 0.0, 0.0),
    ],
    ids=["itself", "mixed and shifted", "cosine only", "half noise", "noise",
         "half the angle", "constant"],
)  # fmt: skip
def test_leak_is_the_share_of_the_rotation_that_latents_tell(
    latents: NDArray[np.float64], linear: float, quadratic: float
) -> None:
    assert rotation_leak(latents, ANGLE) == pytest.approx(linear, abs=0.02)
    both = with_products(latents)
    assert rotation_leak(both, ANGLE) == pytest.approx(quadratic, abs=0.02)


def test_leak_of_too_few_atoms_is_unknown() -> None:
    assert np.isnan(rotation_leak(NOISE[:3], ANGLE[:3]))


@pytest.mark.parametrize(
    ("high", "low", "expected"),
    [
        ([2, 3], [0, 1], 1.0),
        ([0, 1], [2, 3], 0.0),
        ([1, 1], [1, 1], 0.5),
        ([1, 3], [0, 2], 0.75),
        ([1], [], np.nan),
        ([], [1], np.nan),
    ],
)
def test_auc_is_the_chance_of_being_the_higher_one(
    high: list[float], low: list[float], expected: float
) -> None:
    found = auc(np.array(high, float), np.array(low, float))
    assert found == pytest.approx(expected, nan_ok=True)


def test_what_does_not_vary_has_no_rank_correlation() -> None:
    assert np.isnan(rank_correlation(np.zeros(9), np.arange(9.0)))


def test_the_truth_as_latent_has_full_marks(
    compared: Compare, columns: Columns
) -> None:
    figures = order_figures([compared(columns)])
    assert figures.spearman == pytest.approx(1)
    assert figures.disorder_auc == 1
    assert figures.leak < 0.02


def test_frames_of_a_movie_are_ranked_together(
    compared: Compare, columns: Columns
) -> None:
    """Right within each frame and shifted between them is wrong in the movie."""
    shifted = columns | {"crystallinity": columns["crystallinity"] + np.float32(3)}
    alone = order_figures([compared(columns)])
    both = order_figures([compared(columns), compared(shifted)])
    assert both.spearman < 0.9 * alone.spearman


def test_a_latent_that_turns_with_the_lattice_leaks(
    compared: Compare, columns: Columns, truth: Truth
) -> None:
    columns["z1"] = np.cos(3 * truth.angle_rad)
    assert order_figures([compared(columns)]).leak > 0.4


def test_defects_are_missing_bonds_and_their_neighbours(
    compared: Compare, columns: Columns, truth: Truth
) -> None:
    frame = compared(columns)
    marked = at_defect(frame)
    missing = truth.coordination < 3
    assert missing.sum() > 10
    assert marked[missing].all()
    beside = marked & ~missing
    for atom in np.flatnonzero(beside):
        away = np.linalg.norm(frame.true_nm - frame.true_nm[atom], axis=1)
        assert missing[(away > 0) & (away < 0.19)].any()
    whole = ~marked & (np.abs(frame.true_nm - 3).max(axis=1) < 2.5)
    for atom in np.flatnonzero(whole):
        away = np.linalg.norm(frame.true_nm - frame.true_nm[atom], axis=1)
        assert not missing[away < 0.17].any()


def test_only_defects_decide_the_defect_auc(
    compared: Compare, columns: Columns
) -> None:
    marked = at_defect(compared(columns))
    columns["crystallinity"] = np.where(marked, 0.2, 0.8).astype(np.float32)
    assert order_figures([compared(columns)]).defect_auc == 1
    columns["crystallinity"] = np.where(marked, 0.8, 0.2).astype(np.float32)
    assert order_figures([compared(columns)]).defect_auc == 0
