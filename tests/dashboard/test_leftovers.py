"""Memory that closed pages leave behind."""

import gc
import sys
import weakref
from pathlib import Path

import pytest

from dashboard.leftovers import Leftovers, trim


@pytest.mark.parametrize(
    ("pages", "times"),
    [
        ([0, 0, 0], 0),
        ([1, 5, 5], 0),
        ([3, 1, 1, 0], 2),
        ([2, 0, 2, 0], 2),
    ],
    ids=["none", "more and more", "they go one by one", "and come again"],
)
def test_memory_is_given_back_when_pages_have_gone_and_not_before(
    pages: list[int], times: int
) -> None:
    told, counts = [], iter(pages)
    leftovers = Leftovers(lambda: next(counts), lambda: told.append("given back"))
    for _ in pages:
        leftovers.look()
    assert len(told) == times


def resident_mb() -> float:
    status = Path("/proc/self/statm").read_text(encoding="ascii")
    return int(status.split()[1]) * 4096 / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what is resident")
def test_what_is_scattered_over_the_heap_comes_back() -> None:
    mebibyte = [bytearray(1000) for _ in range(400_000)]
    kept = mebibyte[::5000]
    full_mb = resident_mb()
    del mebibyte
    trim()
    assert full_mb - resident_mb() > 200
    assert len(kept) == 80


class Model:
    """Knows itself, as models of a page know each other."""

    def __init__(self) -> None:
        self.knows = self


def test_what_knows_each_other_is_let_go_too() -> None:
    gc.disable()
    try:
        gone = weakref.ref(Model())
        assert gone() is not None
        trim()
        assert gone() is None
    finally:
        gc.enable()
