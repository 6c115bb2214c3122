import numpy as np
import pytest

from inference.matching import match

type Points = list[tuple[float, float]]


@pytest.mark.parametrize(
    ("found", "true", "pairs"),
    [
        ([(0, 0), (5, 5)], [(5, 5.1), (0.2, 0)], [(0, 1), (1, 0)]),
        ([(0, 0)], [(0, 0.9), (0, 1.1)], [(0, 0)]),
        ([(0, 0), (0, 0.4)], [(0, 0.3)], [(1, 0)]),
        ([(0, 0)], [(0, 1.01)], []),
        ([(0, 0), (0, 0.9)], [(0, 0.5), (0, 1.1)], [(1, 1)]),
        ([], [(0, 0)], []),
        ([(0, 0)], [], []),
        ([], [], []),
    ],
    ids=[
        "in any order", "the nearer of two", "each true atom once", "too far",
        "mutual nearest only", "nothing found", "nothing there", "nothing at all",
    ],
)  # fmt: skip
def test_pairs_are_mutual_nearest_within_reach(
    found: Points, true: Points, pairs: list[tuple[int, int]]
) -> None:
    here = np.array(found, float).reshape(-1, 2)
    there = np.array(true, float).reshape(-1, 2)
    matching = match(here, there, 1.0)
    assert list(zip(matching.found, matching.true, strict=True)) == pairs
    expected = [np.hypot(*(here[f] - there[t])) for f, t in pairs]
    np.testing.assert_allclose(matching.distance, expected)


def test_no_atom_is_in_two_pairs() -> None:
    rng = np.random.default_rng(1)
    matching = match(rng.random((300, 2)), rng.random((200, 2)), 0.1)
    assert 50 < len(matching.found) <= 200
    assert len(set(matching.found)) == len(set(matching.true)) == len(matching.found)
    assert matching.distance.max() < 0.1


def test_scattered_atoms_are_matched_to_themselves() -> None:
    rng = np.random.default_rng(1)
    true = np.stack(np.mgrid[0:20, 0:20], axis=-1).reshape(-1, 2).astype(float)
    order = rng.permutation(len(true))
    found = true[order] + rng.uniform(-0.2, 0.2, true.shape)
    matching = match(found, true, 0.5)
    assert len(matching.found) == len(true)
    np.testing.assert_array_equal(order[matching.found], matching.true)
