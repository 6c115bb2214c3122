"""Pixel sizes at which a frame's power spectrum would have the rings of graphene."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from inference.normalise import normalise

RING_NM = (0.2130, 0.1230)
"""Spacings of the lattice that make the two innermost rings of the spectrum."""
SMALLEST_NM, LARGEST_NM = 0.0025, 0.05
"""Pixels between which a frame can show a lattice, and enough of it."""
WINDOW_PX = 512
"""Longest side of the windows whose spectra are taken."""
WINDOWS = 16
"""At most."""
STEP = 0.01
"""Of the logarithm of frequency."""
RING_STEPS = 5
"""Half width of a ring: frames of 2 nm, and scans that shear, make rings that wide."""
BACKGROUND_STEPS = 25
"""To both sides, from which the background of a ring is taken."""
BRIGHTEST = 4.0
"""Normalised values are cut off here: what is bright has no say in a spectrum."""
NEAR = 0.12
"""Candidates whose logarithms are nearer are one."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A pixel size, and where in the frame it is seen best."""

    pixel_size_nm: float
    window: tuple[slice, slice]
    score: float
    """Standard errors by which the rings stand out."""


def candidates(image: NDArray[np.float32], most: int) -> list[Candidate]:
    """Pixel sizes to try, the likeliest first; some always, even in noise.

    Parameters
    ----------
    image
        (rows, cols): the frame, finite.

    Notes
    -----
    Rings, not spots, are looked for, so that neither the number of grains nor their
    orientation matters; and powers above a background that is a local quantile, so that
    noise and contamination do not.
    """
    sizes = np.exp(np.arange(np.log(SMALLEST_NM), np.log(LARGEST_NM), STEP))
    windows = _windows((image.shape[0], image.shape[1]))
    scores = np.array([_scores(image[window], sizes) for window in windows])
    total = scores.sum(axis=0)
    found: list[Candidate] = []
    for size in np.argsort(-total):
        far = [abs(np.log(sizes[size] / one.pixel_size_nm)) > NEAR for one in found]
        if all(far):
            best = windows[int(np.argmax(scores[:, size]))]
            found.append(Candidate(float(sizes[size]), best, float(total[size])))
        if len(found) == most:
            break
    return found


def _windows(shape: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Windows spread evenly over a frame; one if it is no larger."""
    spans = []
    for side in shape:
        length = min(side, WINDOW_PX)
        count = min(-(-side // length), WINDOWS)
        starts = np.linspace(0, side - length, count).round().astype(int)
        spans.append([slice(int(start), int(start) + length) for start in starts])
    every = [(row, col) for row in spans[0] for col in spans[1]]
    kept = np.linspace(0, len(every) - 1, min(len(every), WINDOWS)).round()
    return [every[int(number)] for number in kept]


def _scores(
    image: NDArray[np.float32], sizes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N,): how far the rings of a lattice stand out, if pixels had each size."""
    centres, excess = _excess(image)
    rings = [
        np.interp(np.log(sizes / spacing), centres, excess, left=0, right=0)
        for spacing in RING_NM
    ]
    return np.asarray(rings[0] + np.maximum(rings[1], 0))


def _excess(
    image: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logarithm of frequency, 1/px, and by how much the power there stands out."""
    power, log_q, weight = _power(image)
    lowest = np.log(SMALLEST_NM / RING_NM[0]) - BACKGROUND_STEPS * STEP
    count = int((np.log(0.5) - lowest) / STEP)
    step = np.floor((log_q - lowest) / STEP).astype(np.intp)
    inside = (step >= 0) & (step < count)
    pixels = np.bincount(step[inside], weight[inside], count)
    sums = np.bincount(step[inside], (power * weight)[inside], count)
    ring = np.ones(2 * RING_STEPS + 1)
    pixels, sums = np.convolve(pixels, ring, "same"), np.convolve(sums, ring, "same")
    mean = np.log(np.maximum(sums, 1e-30) / np.maximum(pixels, 1e-30))
    background = ndimage.percentile_filter(mean, 30, 2 * BACKGROUND_STEPS + 1)
    # Relative power has a standard error of one over the root of independent pixels.
    excess = np.minimum(np.exp(mean - background) - 1, 10) * np.sqrt(pixels)
    centres = lowest + (np.arange(count) + 0.5) * STEP
    return centres, np.asarray(excess, np.float64)


def _power(
    image: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Power, logarithm of frequency in 1/px, and weight of each Fourier coefficient."""
    rows, cols = image.shape
    grey = np.minimum(normalise(image), np.float32(BRIGHTEST))
    taper = np.hanning(rows + 2)[1:-1, None] * np.hanning(cols + 2)[1:-1]
    grey = (grey - grey.mean()) * taper.astype(np.float32)
    # Padded, so that a ring of a small frame does not fall between two coefficients.
    shape = [
        fft.next_fast_len(2 * side if side < WINDOW_PX else side, real=True)
        for side in (rows, cols)
    ]
    power = np.abs(fft.rfft2(grey, shape)) ** 2
    down, right = fft.fftfreq(shape[0]), fft.rfftfreq(shape[1])
    q = np.hypot(down[:, None], right)
    log_q = np.log(np.maximum(q, 1e-9))
    independent = rows * cols / (shape[0] * shape[1])
    return power, log_q, np.full(q.shape, independent)
