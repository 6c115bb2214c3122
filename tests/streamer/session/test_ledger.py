import pytest

from streamer.session.ledger import contradicted, unaccounted


@pytest.mark.parametrize(
    ("seqs", "gaps", "total", "missing"),
    [
        ([], [], None, []),
        ([], [], 3, [(0, 2)]),
        ([0, 1, 2], [], 3, []),
        ([0, 1, 2], [], None, []),
        ([0, 3], [(1, 2)], 4, []),
        ([0, 4], [(1, 2)], None, [(3, 3)]),
        ([2], [], None, [(0, 1)]),
        ([0], [(1, 9), (4, 5)], 12, [(10, 11)]),
        ([5], [(0, 9)], 10, []),
        ([0], [], 2**62, [(1, 2**62 - 1)]),
    ],
)
def test_names_exactly_what_is_neither_here_nor_given_up(
    seqs: list[int],
    gaps: list[tuple[int, int]],
    total: int | None,
    missing: list[tuple[int, int]],
) -> None:
    assert list(unaccounted(seqs, gaps, total)) == missing


@pytest.mark.parametrize(
    ("seqs", "gaps", "wrong"),
    [
        ([], [(0, 3)], []),
        ([0, 3], [(1, 2)], []),
        ([3, 0, 1], [(1, 2), (4, 9)], [(1, 2)]),
        ([5], [(0, 5), (5, 9), (6, 6)], [(0, 5), (5, 9)]),
    ],
)
def test_names_gaps_whose_frames_are_here(
    seqs: list[int], gaps: list[tuple[int, int]], wrong: list[tuple[int, int]]
) -> None:
    assert list(contradicted(seqs, gaps)) == wrong
