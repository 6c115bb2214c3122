"""The speed that networks are measured against, by clocks that are known."""

from collections.abc import Callable, Iterator
from itertools import accumulate

import pytest
from threadpoolctl import threadpool_info

from atomstream.bench.gemm import gemm_peak

GFLOP = 2 * 64**3 / 1e9
"""Of a product of two matrices of 64 x 64: a multiplication and an addition each."""


def clock(*durations_s: float) -> Callable[[], float]:
    """By it one product after the other takes so long, and nothing else any time."""
    times = accumulate(step for each in durations_s for step in (0.0, each))
    return lambda: next(times)


def test_the_speed_is_that_of_the_fastest_product_by_either_clock() -> None:
    wall, cpu = clock(3, 0.5, 2), clock(4, 5, 0.25)
    peak = gemm_peak(1, side=64, repeats=3, wall_clock=wall, cpu_clock=cpu)
    assert (peak.threads, peak.side) == (1, 64)
    assert peak.gflop_s == pytest.approx(GFLOP / 0.5)
    assert peak.gflop_per_cpu_s == pytest.approx(GFLOP / 0.25)


@pytest.mark.parametrize("threads", [1, 2])
def test_products_are_made_on_as_many_threads_as_is_said(threads: int) -> None:
    seen: set[int] = set()

    def watching() -> Iterator[float]:
        now = 0.0
        while True:
            seen.update(
                pool["num_threads"]
                for pool in threadpool_info()
                if pool["user_api"] == "blas"
            )
            yield (now := now + 1)

    ticks = watching()
    gemm_peak(threads, side=64, repeats=1, wall_clock=lambda: next(ticks))
    assert seen == {threads}


def test_a_real_product_takes_real_time() -> None:
    peak = gemm_peak(threads=1, side=256, repeats=3)
    # From a slow machine, busy with other things, to one that nobody has yet.
    assert 0.01 < peak.gflop_s < 2000
