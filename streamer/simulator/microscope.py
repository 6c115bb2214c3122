"""The microscope: how a sheet becomes counts on the annular detector.

Images are linear in the atoms: each adds the intensity of the probe, weighted by its
Rutherford cross-section. Against multislice this agrees to better than the shot noise.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

ELEMENTARY_CHARGE_C = 1.602176634e-19
CARBON_Z, SILICON_Z = 6, 14
FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))


@dataclass(frozen=True, slots=True)
class Probe:
    """Intensity of the probe: a Gaussian core and a wide tail."""

    fwhm_nm: float = 0.1
    tail_fraction: float = 0.15
    """Share of the intensity that is in the tail."""
    tail_sigma_nm: float = 0.12
    astigmatism: float = 0.0
    """Core wider along x and narrower along y by this fraction."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Where the probe really was when a pixel was recorded."""

    jitter_px: float = 0.25
    """Standard deviation of the probe's shift along x, anew in each row."""
    jitter_memory: float = 0.5
    """Correlation of that shift with that of the row before."""
    drift_nm: tuple[float, float] = (0.0, 0.0)
    """(x, y) by which the sample moves from the first row to the last."""
    wobble_nm: float = 0.02
    """Amplitude of a slow sway along x."""
    flyback_nm: float = 0.0
    """By how much the left border is stretched, as the probe has just flown back."""


@dataclass(frozen=True, slots=True)
class Microscope:
    """Settings of one acquisition; the defaults are those of the paper's movie."""

    shape: tuple[int, int] = (1024, 1024)
    """(rows, cols)."""
    field_nm: float = 16.0
    """Field of view along the longer side."""
    current_pa: float = 20.0
    frame_time_s: float = 33.5
    cross_section_nm2: float = 4.0e-6
    """Of a C atom into the detector: Rutherford, 80 to 200 mrad at 100 kV."""
    z_exponent: float = 1.7
    """Contrast grows as the atomic number to this power."""
    probe: Probe = field(default_factory=Probe)
    scan: Scan = field(default_factory=Scan)
    background: float = 0.03
    """Counts a pixel where there is no atom, as a fraction of the sheet's mean."""
    read_noise: float = 0.1
    """Standard deviation of the detector's own noise, counts."""

    @property
    def pixel_size_nm(self) -> float:
        """Side of a pixel."""
        return self.field_nm / max(self.shape)

    @property
    def dwell_time_us(self) -> float:
        """Time on one pixel."""
        return self.frame_time_s / math.prod(self.shape) * 1e6

    @property
    def dose_e_nm2(self) -> float:
        """Electrons per nm² in one frame."""
        electrons = self.current_pa * 1e-12 * self.frame_time_s / ELEMENTARY_CHARGE_C
        return electrons / (math.prod(self.shape) * self.pixel_size_nm**2)

    @property
    def counts_per_carbon(self) -> float:
        """Expected counts that one C atom adds to a frame (65 by default)."""
        return self.dose_e_nm2 * self.cross_section_nm2

    def weights(self, species: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Brightness of each atom relative to C."""
        contrast = np.array([1.0, (SILICON_Z / CARBON_Z) ** self.z_exponent])
        return contrast[species]


def scaled_microscope(size_px: int, field_nm: float, dose: float) -> Microscope:
    """The paper's microscope with another frame size, field of view and dose."""
    nominal = Microscope()
    area_share = (field_nm / nominal.field_nm) ** 2
    return Microscope(
        shape=(size_px, size_px),
        field_nm=field_nm,
        frame_time_s=nominal.frame_time_s * area_share * dose,
    )


def scanned_positions(
    xy_nm: NDArray[np.float64], microscope: Microscope, phase_rad: float
) -> NDArray[np.float64]:
    """Where atoms appear in the image: (N, 2) as (row, col) in pixels.

    Parameters
    ----------
    xy_nm
        (N, 2): positions in the field of view, whose corner is (0, 0).
    phase_rad
        Of the sway, which goes through three periods in a frame.
    """
    scan = microscope.scan
    time = xy_nm[:, 1] / (microscope.shape[0] * microscope.pixel_size_nm)
    x = xy_nm[:, 0] + scan.drift_nm[0] * time
    x = x + scan.wobble_nm * np.sin(2 * math.pi * 3 * time + phase_rad)
    # The probe comes from the right and is not yet where it should be.
    reach_nm = 0.03 * microscope.field_nm
    x = x - scan.flyback_nm * np.exp(-np.maximum(x, 0) / reach_nm)
    y = xy_nm[:, 1] + scan.drift_nm[1] * time
    return np.stack([y, x], axis=1) / microscope.pixel_size_nm - 0.5


def expected_counts(
    rowcol_px: NDArray[np.float64],
    weights: NDArray[np.float64],
    microscope: Microscope,
    row_shift_px: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Mean counts in each pixel, before noise and without the background.

    Parameters
    ----------
    rowcol_px
        (N, 2): positions in the image; atoms outside it count as far as they reach.
    weights
        (N,): brightness relative to C.
    row_shift_px
        (rows,): how far right the probe was in each row; the picture of that row
        lies as far left.
    """
    probe, size = microscope.probe, microscope.pixel_size_nm
    sigma = probe.fwhm_nm / FWHM_PER_SIGMA / size
    core = _splat_core(
        rowcol_px,
        weights,
        (sigma * (1 - probe.astigmatism), sigma * (1 + probe.astigmatism)),
        row_shift_px,
        microscope.shape,
    )
    tail = _splat_tail(rowcol_px, weights, probe.tail_sigma_nm / size, microscope.shape)
    mixed = (1 - probe.tail_fraction) * core + probe.tail_fraction * tail
    return np.asarray(microscope.counts_per_carbon * mixed, np.float32)


def _splat_core(
    rowcol: NDArray[np.float64],
    weights: NDArray[np.float64],
    sigma: tuple[float, float],
    row_shift: NDArray[np.float64],
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    rows, cols = shape
    reach = math.ceil(3.7 * max(sigma))
    window = np.arange(-reach, reach + 1)
    image = np.zeros(rows * cols)
    for start in range(0, len(rowcol), 4096):
        part = rowcol[start : start + 4096]
        row = np.rint(part[:, :1]).astype(np.intp) + window  # (n, k)
        shift = row_shift[np.clip(row, 0, rows - 1)]
        col = np.rint(part[:, 1:]).astype(np.intp) + window  # (n, k)
        dy = (row - part[:, :1]) / sigma[0]
        dx = (col - part[:, 1:])[:, None, :] + shift[:, :, None]  # (n, k, k)
        value = np.exp(-0.5 * (dy[:, :, None] ** 2 + (dx / sigma[1]) ** 2))
        value *= weights[start : start + 4096, None, None]
        inside = ((row >= 0) & (row < rows))[:, :, None]
        inside = inside & ((col >= 0) & (col < cols))[:, None, :]
        index = row[:, :, None] * cols + col[:, None, :]
        image += np.bincount(index[inside], value[inside], rows * cols)
    return image.reshape(shape) / (2 * math.pi * sigma[0] * sigma[1])


def _splat_tail(
    rowcol: NDArray[np.float64],
    weights: NDArray[np.float64],
    sigma: float,
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    """Wide Gaussians: points shared out between four pixels, then smoothed."""
    margin = math.ceil(3 * sigma) + 1
    rows, cols = shape[0] + 2 * margin, shape[1] + 2 * margin
    corner = np.floor(rowcol).astype(np.intp)
    frac = rowcol - corner
    image = np.zeros(rows * cols)
    for row_step in (0, 1):
        for col_step in (0, 1):
            row, col = (corner + np.array([row_step, col_step]) + margin).T
            share = np.abs(1 - row_step - frac[:, 0]) * np.abs(
                1 - col_step - frac[:, 1]
            )
            inside = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
            index = (row * cols + col)[inside]
            image += np.bincount(index, (weights * share)[inside], rows * cols)
    smooth = gaussian_filter(
        image.reshape(rows, cols), sigma, mode="constant", truncate=3
    )
    return np.asarray(smooth[margin:-margin, margin:-margin], np.float64)


def row_jitter(scan: Scan, rows: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(rows,) shifts in pixels, each remembering the one before (AR(1))."""
    kick = rng.normal(0, math.sqrt(1 - scan.jitter_memory**2), rows)
    shift = np.empty(rows)
    last = rng.normal()
    for row in range(rows):
        last = scan.jitter_memory * last + kick[row]
        shift[row] = last
    return scan.jitter_px * shift


def detect(
    expected: NDArray[np.float32], microscope: Microscope, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Counts with shot noise and read noise, as the detector would give them."""
    counts = rng.poisson(expected).astype(np.float32)
    noise = rng.normal(0, microscope.read_noise, expected.shape)
    return np.asarray(counts + noise, np.float32)
