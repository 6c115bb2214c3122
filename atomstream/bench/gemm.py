"""How fast this machine multiplies matrices: what a network is measured against."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

type Clock = Callable[[], float]

SIDE = 2048
REPEATS = 6


@dataclass(frozen=True, slots=True)
class GemmPeak:
    """The best of some products of two square float32 matrices, by NumPy's BLAS."""

    threads: int
    side: int
    gflop_s: float
    """By the clock on the wall."""
    gflop_per_cpu_s: float
    """By the time of all threads together, which other processes disturb less."""


def gemm_peak(
    threads: int,
    side: int = SIDE,
    repeats: int = REPEATS,
    wall_clock: Clock = time.perf_counter,
    cpu_clock: Clock = time.process_time,
) -> GemmPeak:
    """Measured now, on `threads` threads; both clocks count seconds."""
    rng = np.random.default_rng(0)
    left, right = rng.random((2, side, side), np.float32)
    out = np.empty_like(left)
    walls, cpus = [], []
    with threadpool_limits(threads, user_api="blas"):
        for _ in range(repeats):
            wall, cpu = wall_clock(), cpu_clock()
            np.matmul(left, right, out=out)
            walls.append(wall_clock() - wall)
            cpus.append(cpu_clock() - cpu)
    gflop = 2 * side**3 / 1e9
    return GemmPeak(threads, side, gflop / min(walls), gflop / min(cpus))
