"""The probe: how the image of one atom looks."""

from dataclasses import dataclass

FWHM_PER_SIGMA = 2.3548200450309493


@dataclass(frozen=True, slots=True)
class Probe:
    """A Gaussian core and a wide round tail.

    Tail and background can hardly be told apart in a frame without vacuum: their
    values describe the image, not the optics. Positions do not depend on which is
    which.
    """

    sigma_row_nm: float = 0.047
    """Standard deviation of the core along the rows' direction (down)."""
    sigma_col_nm: float = 0.047
    tail_fraction: float = 0.15
    """Share of the intensity in the tail, 0..1."""
    tail_sigma_nm: float = 0.12

    @property
    def fwhm_nm(self) -> float:
        """Full width at half maximum of the core, mean of both directions."""
        return FWHM_PER_SIGMA * (self.sigma_row_nm + self.sigma_col_nm) / 2
