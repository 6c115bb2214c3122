"""How fast this machine multiplies matrices: what a network is measured against."""

import time
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

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


def gemm_peak(threads: int, side: int = SIDE, repeats: int = REPEATS) -> GemmPeak:
    """Measured now, on `threads` threads."""
    rng = np.random.default_rng(0)
    left, right = rng.random((2, side, side), np.float32)
    out = np.empty_like(left)
    walls, cpus = [], []
    with threadpool_limits(threads, user_api="blas"):
        for _ in range(repeats):
            wall, cpu = time.perf_counter(), time.process_time()
            np.matmul(left, right, out=out)
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
    gflop = 2 * side**3 / 1e9
    return GemmPeak(threads, side, gflop / min(walls), gflop / min(cpus))
