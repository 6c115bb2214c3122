"""The small grey picture that a live view shows of a frame."""

import math

import numpy as np
from numpy.typing import NDArray

from streamer.analysis import Preview

MAX_PREVIEW_PX = 1024
"""Longest side of a preview: more than a browser shows of one frame."""

PERCENTILES = (0.5, 99.5)
SAMPLES = 40_000
"""Pixels the percentiles are taken from: their scatter is far below a grey level."""


def preview(image: NDArray[np.generic], valid_rows: int) -> Preview:
    """Picture of at most 1024 pixels a side, stretched between two percentiles.

    A pure function of the frame, so that it need not be stored.

    Parameters
    ----------
    image
        (rows, cols), real numbers; NaN shows as black, infinity as white.
    valid_rows
        Rows that belong to the frame; what is below them is black and does not
        count for the stretch.
    """
    small, valid = _shrunk(image, valid_rows)
    low, high = _limits(small[:valid])
    grey = np.zeros(small.shape, np.uint8)
    grey[:valid] = _stretched(small[:valid], low, high)
    return Preview(grey, low, high)


def _shrunk(
    image: NDArray[np.generic], valid_rows: int
) -> tuple[NDArray[np.floating], int]:
    """Block means as floats, and how many rows of them are valid."""
    # 32-bit integers do not fit into float32 when they differ by little.
    pixels = image.astype(np.result_type(image.dtype, np.float32), copy=False)
    block = math.ceil(max(image.shape) / MAX_PREVIEW_PX)
    if block == 1:
        return pixels, valid_rows
    means = _block_means(pixels, block)
    # A block that is valid in part would show rows of the frame before.
    complete = valid_rows == image.shape[0]
    return means, len(means) if complete else valid_rows // block


def _block_means(pixels: NDArray[np.floating], block: int) -> NDArray[np.floating]:
    """Means of blocks of `block` x `block` pixels; those at the far edges are cut."""
    counts = [
        np.diff(np.arange(0, side + block, block).clip(max=side))
        for side in pixels.shape
    ]
    with np.errstate(all="ignore"):
        sums = _row_sums(_row_sums(pixels, block).T, block).T
        return sums / np.outer(*counts).astype(pixels.dtype)


def _row_sums(pixels: NDArray[np.floating], block: int) -> NDArray[np.floating]:
    """Every `block` rows added up; strided adds take a tenth of `reduceat`'s time."""
    sums = pixels[::block].copy(order="K")
    for offset in range(1, block):
        part = pixels[offset::block]
        sums[: len(part)] += part
    return sums


def _limits(pixels: NDArray[np.floating]) -> tuple[float, float]:
    """Percentiles of the finite pixels, from an even sample of them."""
    step = max(1, pixels.size // SAMPLES)
    # Without a common factor the sample walks through all columns.
    while pixels.size and math.gcd(step, pixels.shape[1]) != 1:
        step += 1
    sample = pixels.ravel()[::step]
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 0.0
    # Interpolated percentiles would overflow between two very large numbers.
    low, high = np.percentile(sample, PERCENTILES, method="nearest")
    return float(low), float(high)


def _stretched(
    pixels: NDArray[np.floating], low: float, high: float
) -> NDArray[np.uint8]:
    """Grey levels: 0 at `low` and below, 255 at `high` and above."""
    # Halves, because the difference of two very large numbers overflows as well.
    span = pixels.dtype.type(high / 2 - low / 2)
    if span == 0:
        return np.zeros(pixels.shape, np.uint8)
    # NaN is not propagated by fmax: it becomes `low`.
    grey: NDArray[np.floating] = np.fmin(np.fmax(pixels, low), high)
    grey *= 0.5
    grey -= low / 2
    grey /= span
    grey *= 255
    grey.round(out=grey)
    return grey.astype(np.uint8)
