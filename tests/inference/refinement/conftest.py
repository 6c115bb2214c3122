from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.refinement.bound import position_bound
from inference.refinement.image_model import Optics
from streamer.simulator.contamination import Blob
from streamer.simulator.microscope import (
    Microscope,
    Probe,
    Scan,
    detect,
    expected_counts,
    row_jitter,
)
from streamer.simulator.movie import background_counts
from streamer.simulator.sheet import Growth, grow_sheet


@dataclass(frozen=True)
class Scene:
    """A sheet whose atoms are displaced, each by itself, and one frame of it."""

    image: NDArray[np.float32]
    pixel_size_nm: float
    sites: NDArray[np.float64]
    """Where the lattice would have the atoms: what a network reports."""
    true: NDArray[np.float64]
    species: NDArray[np.uint8]
    bound: NDArray[np.float64]
    """(N, 2): smallest possible variance, px²."""

    @property
    def score(self) -> NDArray[np.float32]:
        return np.ones(len(self.sites), np.float32)

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Atoms whose image is not cut by the border."""
        far = np.array(self.image.shape) - 20
        return np.asarray(((self.true > 20) & (self.true < far)).all(axis=1))


class Stage:
    """Makes scenes."""

    def scene(
        self,
        dose: float = 1.0,
        *,
        seed: int = 1,
        side: int = 320,
        pixel_size_nm: float = 0.015625,
        displaced_pm: float = 15.0,
        probe: Probe | None = None,
        jitter_px: float = 0.25,
        blob: Blob | None = None,
        vacuum: float = 0.0,
    ) -> Scene:
        """`vacuum` is the share of the frame, at its right, that the sheet has left."""
        rng = np.random.default_rng(seed)
        field_nm = side * pixel_size_nm
        microscope = Microscope(
            shape=(side, side),
            field_nm=field_nm,
            current_pa=20 * dose * (field_nm / 16) ** 2,
            probe=probe or Probe(),
            scan=Scan(jitter_px=jitter_px),
        )
        sheet = grow_sheet(Growth(field_nm=field_nm, holes_per_nm2=0.2), rng)
        kept = sheet.xy_nm[:, 0] <= (1 - vacuum) * field_nm if vacuum else slice(None)
        species = sheet.species[kept]
        sites = sheet.xy_nm[kept, ::-1] / pixel_size_nm - 0.5
        true = sites + rng.normal(0, displaced_pm * 1e-3, sites.shape) / pixel_size_nm
        weights = microscope.weights(species)
        dirt = blob.atoms(rng)[:, ::-1] / pixel_size_nm if blob else np.empty((0, 2))
        mean = background_counts(microscope) + expected_counts(
            np.concatenate([true, dirt]),
            np.concatenate([weights, np.ones(len(dirt))]),
            microscope,
            row_jitter(microscope.scan, side, rng),
        )
        inside = ((sites >= -0.5) & (sites < side - 0.5)).all(axis=1)
        bound = position_bound(
            true,
            weights * microscope.counts_per_carbon,
            optics_of(microscope),
            mean + np.float32(microscope.read_noise**2),
        )
        return Scene(
            image=detect(mean, microscope, rng),
            pixel_size_nm=pixel_size_nm,
            sites=sites[inside],
            true=true[inside],
            species=species[inside],
            bound=bound[inside],
        )


def optics_of(microscope: Microscope) -> Optics:
    probe, size = microscope.probe, microscope.pixel_size_nm
    sigma = probe.fwhm_nm / 2.3548200450309493 / size
    return Optics(
        (sigma * (1 - probe.astigmatism), sigma * (1 + probe.astigmatism)),
        probe.tail_fraction,
        probe.tail_sigma_nm / size,
        background_counts(microscope),
    )


@pytest.fixture(scope="session")
def stage() -> Stage:
    return Stage()
