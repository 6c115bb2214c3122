"""The arithmetic of what came and what did not."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator


def unaccounted(
    seqs: Iterable[int], gaps: Iterable[tuple[int, int]], total: int | None
) -> Iterator[tuple[int, int]]:
    """Runs (first, last) of numbers that are neither committed nor in the ledger.

    Parameters
    ----------
    seqs
        Committed frames of one stream.
    gaps
        (first, last) of the frames that its ledger gives up.
    total
        Frames that the source sent; None while that is open: then what would follow
        the last known number is not missed.
    """
    expected = 0
    known = sorted([*((seq, seq) for seq in seqs), *gaps])
    for first, last in known:
        if first > expected:
            yield expected, first - 1
        expected = max(expected, last + 1)
    if total is not None and total > expected:
        yield expected, total - 1


def contradicted(
    seqs: Iterable[int], gaps: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """The gaps (first, last) of a stream in which there are committed frames."""
    known = sorted(seqs)
    for first, last in gaps:
        at = bisect_left(known, first)
        if at < len(known) and known[at] <= last:
            yield first, last
