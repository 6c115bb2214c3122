"""The paper's rVAE, as it is shipped: does it tell what the paper shows?"""

import numpy as np
import pytest

from inference.analyse import Analyser
from inference.evaluation.comparison import Comparison
from inference.evaluation.conditions import compared
from inference.evaluation.order import DISORDERED
from inference.evaluation.ranks import auc
from inference.evaluation.scoring import BULK
from inference.model import load_model
from streamer.simulator.microscope import Microscope
from streamer.simulator.movie import expose
from streamer.simulator.sheet import Growth, grow_sheet

NAME = "graphene-si-paper"
FIELD_NM = 8.0
SIDE_PX = 512


@pytest.fixture(scope="module")
def frame() -> Comparison:
    """A sheet with holes at the nominal dose, as the model sees it and as it is.

    It lies as the one of the training did; the paper's rVAE knows no other.
    """
    told = load_model(NAME).card.encoder.provenance["orientation_deg"]
    assert isinstance(told, float)
    rng = np.random.default_rng(2000)
    growth = Growth(field_nm=FIELD_NM, holes_per_nm2=0.08, orientation_deg=told)
    sheet = grow_sheet(growth, rng)
    # The nominal dose is 20 pA for 33.5 s over 16 nm.
    time_s = 33.5 * (FIELD_NM / 16) ** 2
    setting = Microscope((SIDE_PX, SIDE_PX), FIELD_NM, frame_time_s=time_s)
    exposure = expose(sheet, [], setting, 0, rng)
    return compared(Analyser(load_model(NAME), refine=False), exposure)


@pytest.fixture(scope="module")
def bulk(frame: Comparison) -> tuple[np.ndarray, np.ndarray]:
    """(angles told, true angles) of the atoms of the bulk, degrees."""
    found, true = frame.whole
    ordered = frame.truth.crystallinity[true] > BULK
    told = frame.atoms.angle_rad[found[ordered]]
    return np.degrees(told), np.degrees(frame.truth.angle_rad[true[ordered]])


def mean_angle_deg(angles_deg: np.ndarray) -> float:
    """Of angles modulo 120°."""
    turned = np.exp(3j * np.radians(angles_deg))
    return float(np.degrees(np.angle(turned.mean())) / 3)


def test_the_angle_has_two_peaks_sixty_degrees_apart(
    bulk: tuple[np.ndarray, np.ndarray],
) -> None:
    """Fig. 7A: the two sublattices."""
    told, _ = bulk
    # Modulo 60° both are one peak: it says where to cut between them.
    middle = np.degrees(np.angle(np.exp(6j * np.radians(told)).mean())) / 6
    off = (told - middle + 30) % 120 - 30
    near = off < 30
    assert 0.45 < near.mean() < 0.55
    gap = mean_angle_deg(told[~near]) - mean_angle_deg(told[near])
    assert gap % 120 == pytest.approx(60, abs=2)
    # Peaks, not a smear: most atoms lie within a few degrees of one.
    spread = np.abs((told - middle + 30) % 60 - 30)
    assert np.mean(spread < 6) > 0.9


def test_the_angle_is_that_of_the_atoms_bonds(
    bulk: tuple[np.ndarray, np.ndarray],
) -> None:
    told, true = bulk
    off = (told - true + 60) % 120 - 60
    assert np.abs(off).mean() < 1.5


def test_crystallinity_tells_disorder_from_order(frame: Comparison) -> None:
    found, true = frame.whole
    told = frame.atoms.latents["crystallinity"][found]
    order = frame.truth.crystallinity[true]
    assert auc(told[order >= DISORDERED], told[order < DISORDERED]) > 0.8
