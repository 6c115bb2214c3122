"""Grey values brought to a scale that no bright patch and no hot pixel can shift."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_propagation

CLIP_SIGMA = 3.0
"""Pixels farther from the mean are left out of it: contamination, Si, hot pixels."""
ROUNDS = 3
BRIGHTEST = 12.0
"""Normalised values are cut off here, and as far below zero; a Si at the highest
contrast reaches about 10."""
BLOCK_NM = 0.32
"""Side of the squares in which contamination is looked for: in the sheet each has the
dark middle of a hexagon."""
DARK_SHARE = 0.1
"""Of the pixels of a square: the darkest."""
DARK_SIGMA = 1.28
"""By which that is below the median, in standard deviations of Gaussian noise."""
BRIGHTER_SIGMA = 4.0
"""By which the dark parts of a contaminated square are brighter than usual, in standard
deviations of the pixels within squares …"""
BRIGHTER_OWN_SIGMA = 3.0
"""… and in those of the square itself, or of one beside it: 1 where it shows the sheet,
sharp, in a frame of vacuum without noise; 2.5 if the probe is 0.06 nm wide."""
AROUND = np.ones((3, 3), np.bool_)
MOST_SHARE = 0.32
"""Of the frame: what covers more is no contamination but a slope."""
CLIPPED_SHARE = 0.05
"""Of the frame: contamination of less is left out by `CLIP_SIGMA`, of a tenth and more
it is not, however bright."""


def min_max(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Grey values from 0 to 1, as networks of AtomAI expect them.

    Parameters
    ----------
    image
        (rows, cols), finite.

    Returns
    -------
    (rows, cols); all zero for a constant image.
    """
    low, high = image.min(), image.max()
    spread = np.float64(high) - np.float64(low)
    if spread < np.finfo(np.float32).tiny:
        return np.zeros_like(image)
    return np.asarray((image - low) * np.float32(1 / spread), np.float32)


def normalise(
    image: NDArray[np.float32], pixel_size_nm: float | None = None
) -> NDArray[np.float32]:
    """Zero mean and unit standard deviation of the pixels that are not outliers.

    Parameters
    ----------
    image
        (rows, cols), finite.
    pixel_size_nm
        As for `ordinary_scale`.

    Returns
    -------
    (rows, cols), within ± `BRIGHTEST`; all zero for a constant image.
    """
    mean, deviation = ordinary_scale(image, pixel_size_nm)
    if deviation < np.finfo(np.float32).tiny:
        return np.zeros_like(image)
    with np.errstate(over="ignore"):  # what becomes infinite is cut off
        scaled = (image - np.float32(mean)) * np.float32(1 / deviation)
    limit = np.float32(BRIGHTEST)
    return np.asarray(np.clip(scaled, -limit, limit), np.float32)


def ordinary_scale(
    image: NDArray[np.float32], pixel_size_nm: float | None = None
) -> tuple[float, float]:
    """Mean and standard deviation of the pixels that are not outliers.

    Parameters
    ----------
    pixel_size_nm
        Where it is known, contamination may cover a third of the image, as bright as
        it likes; else a twentieth.
    """
    # A quarter of the pixels gives the two numbers to a part in a thousand.
    sample = image[::2, ::2]
    if pixel_size_nm is None:
        return _clipped(sample.ravel())
    bright = contaminated(sample, max(2, round(BLOCK_NM / (2 * pixel_size_nm))))
    return _clipped(sample[~bright] if bright.any() else sample.ravel())


def contaminated(image: NDArray[np.float32], side: int) -> NDArray[np.bool_]:
    """(rows, cols): True in and beside squares, of `side` pixels, bright all over.

    Nowhere if they are less than `CLIPPED_SHARE` or more than `MOST_SHARE` of it, or
    the image is smaller than one of them.
    """
    rows, cols = image.shape
    down, right = rows // side, cols // side
    if min(down, right) == 0:
        return np.zeros(image.shape, np.bool_)
    whole = image[: down * side, : right * side]
    squares = whole.reshape(down, side, right, side).swapaxes(1, 2)
    patches = _patches(squares.reshape(down, right, side * side))
    if not CLIPPED_SHARE <= patches.mean() <= MOST_SHARE:
        return np.zeros(image.shape, np.bool_)
    grown = binary_dilation(patches, AROUND).repeat(side, 0).repeat(side, 1)
    left_over = ((0, rows - down * side), (0, cols - right * side))
    return np.pad(grown, left_over, mode="edge")


def _patches(squares: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(down, right): which of (down, right, pixels) squares are contaminated.

    The sheet is dark in the middle of each hexagon, vacuum everywhere; contamination
    is not. How much brighter counts is told by how pixels differ within squares, which
    is due to atoms and noise.
    """
    pixels = squares.shape[2]
    places = int(DARK_SHARE * pixels), pixels // 2
    ordered = np.sort(squares, axis=2)  # short rows: quicker than to partition them
    dark, middle = (ordered[:, :, place].astype(np.float64) for place in places)
    # Every fourth square tells as much.
    few = (slice(None, None, 2),) * 2
    _, usual = _clipped((squares[few] - ordered[few][:, :, places[1], None]).ravel())
    if usual == 0:
        return np.zeros(dark.shape, np.bool_)
    brighter = dark - np.median(dark)
    own = (middle - dark) / DARK_SIGMA
    bright = brighter > BRIGHTER_SIGMA * usual
    surely = bright & (brighter > BRIGHTER_OWN_SIGMA * own)
    # Its rim is bright and steep, and may be as much of the frame as its middle.
    return np.asarray(binary_propagation(surely, AROUND, mask=bright), np.bool_)


def _clipped(values: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and standard deviation, again and again without what is far from them."""
    mean, deviation = _mean_and_deviation(values)
    for _ in range(ROUNDS):
        kept = values[np.abs(values - mean) <= CLIP_SIGMA * deviation]
        if len(kept) == 0:
            break
        mean, deviation = _mean_and_deviation(kept)
    return mean, deviation


def _mean_and_deviation(values: NDArray[np.float32]) -> tuple[float, float]:
    return float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
