"""Where there is no sheet: vacuum, noise, atoms on their own."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from inference.matching import match
from streamer.analysis import Analysis
from streamer.frame import Frame
from streamer.simulator.microscope import detect
from streamer.simulator.movie import background_counts
from streamer.simulator.sheet import Sheet, honeycomb
from tests.inference.exposing import SEED, each_pixel_size, exposed, microscope, rowcol

type MakeFrame = Callable[..., Frame]


def half_a_sheet(extra: list[tuple[float, float]]) -> Sheet:
    """A sheet on the left of a field of 4 nm, and atoms in the vacuum beside it."""
    sites = honeycomb(7.0, 0.3) + 2.0
    xy = np.concatenate([sites[sites[:, 0] < 2.0], np.reshape(extra, (-1, 2))])
    none = np.zeros(len(xy), np.int64)
    return Sheet(xy, none.astype(np.uint8), none, 4.0)


HALF = replace(microscope(), shape=(256, 256), field_nm=4.0, frame_time_s=33.5 / 16)


@pytest.mark.parametrize(
    ("places", "known"),
    [
        ([(3.0, 1.0)], False),
        ([(3.0, 1.0), (3.4, 3.0)], False),
        ([(3.0, 1.0), (3.142, 1.0)], True),
    ],
    ids=["one atom", "two far apart", "a pair"],
)
def test_an_atom_on_its_own_has_no_orientation(
    analyse: Callable[..., Analysis],
    places: list[tuple[float, float]],
    known: bool,
) -> None:
    exposure = exposed(half_a_sheet(places), HALF, clean=True)
    found = analyse(exposure.image)
    truth = exposure.truth
    alone = np.stack([truth.row_px, truth.col_px], axis=1)[-len(places) :]
    pairs = match(rowcol(found), alone, 4.0)
    assert len(pairs.found) == len(places)
    angle = found.atoms.angle_rad[pairs.found]
    assert np.isfinite(angle).tolist() == [known] * len(places)
    for latent in found.atoms.latents.values():
        assert np.isfinite(latent).all()


@pytest.mark.parametrize("dose", [0.25, 1.0, 4.0])
def test_vacuum_beside_a_sheet_is_empty(
    analyse: Callable[..., Analysis], dose: float
) -> None:
    setting = replace(HALF, frame_time_s=HALF.frame_time_s * dose)
    found = analyse(exposed(half_a_sheet([]), setting, clean=True).image)
    vacuum = found.atoms.x_nm > 2.3
    assert vacuum.sum() / (4.0 * 1.7) < 0.5
    assert (~vacuum).sum() == pytest.approx(38.2 * 8, rel=0.05)


@each_pixel_size
def test_a_frame_of_vacuum_holds_less_than_a_tenth_of_a_sheets_atoms(
    analyse: Callable[..., Analysis], pixel_size_nm: float
) -> None:
    setting = microscope(pixel_size_nm)
    level = np.full((256, 256), background_counts(setting), np.float32)
    image = detect(level, setting, np.random.default_rng(SEED))
    found = analyse(image, pixel_size_nm=pixel_size_nm)
    assert len(found.atoms) / found.summary.area_nm2 < 3.8


@each_pixel_size
def test_grey_noise_holds_almost_no_atoms(
    analyse: Callable[..., Analysis], pixel_size_nm: float
) -> None:
    noise = np.random.default_rng(SEED).normal(100, 10, (256, 256)).astype(np.float32)
    found = analyse(noise, pixel_size_nm=pixel_size_nm)
    assert len(found.atoms) / found.summary.area_nm2 < 0.5
