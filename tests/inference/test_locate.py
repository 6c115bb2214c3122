from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.card import DcnnCard
from inference.locate import Peaks, locate

type Draw = Callable[..., NDArray[np.float32]]

SHAPE = (64, 80)
SIGMA_PX = 1.75  # 0.035 nm, the width that networks are trained to draw
NOTHING = np.zeros(SHAPE, np.float32)


@pytest.mark.parametrize("sigma_px", [1.2, 1.75, 2.5])
def test_atoms_are_found_to_a_hundredth_of_a_pixel(
    draw: Draw, dcnn_card: DcnnCard, sigma_px: float
) -> None:
    rng = np.random.default_rng(1)
    rows, cols = np.mgrid[10:56:12, 10:72:12]
    where = np.stack([rows, cols], axis=-1).reshape(-1, 2).astype(float)
    where += rng.uniform(-0.5, 0.5, where.shape)
    peaks = locate(draw(SHAPE, where, sigma_px, 0.9), NOTHING, dcnn_card)
    np.testing.assert_allclose(peaks.rowcol, where, atol=0.01)
    assert not peaks.silicon_share.any()
    assert ((peaks.score > 0.8) & (peaks.score <= 0.9)).all()


@pytest.mark.parametrize(("height", "count"), [(0.34, 0), (0.36, 1), (1.0, 1)], ids=str)
def test_only_what_exceeds_the_threshold_is_an_atom(
    draw: Draw, dcnn_card: DcnnCard, height: float, count: int
) -> None:
    peaks = locate(draw(SHAPE, (20, 30), SIGMA_PX, height), NOTHING, dcnn_card)
    assert len(peaks) == count


@pytest.mark.parametrize(
    ("apart_px", "height", "expected"),
    [
        (7.1, 0.6, [(20, 30), (20, 37.1)]),
        (5.0, 0.6, [(20, 30), (20, 35)]),
        (3.4, 0.9, [(20, 30)]),
    ],
    ids=["a bond", "crowded", "nearer than atoms can be"],
)
def test_close_atoms_are_told_apart(
    draw: Draw,
    dcnn_card: DcnnCard,
    apart_px: float,
    height: float,
    expected: list[tuple[float, float]],
) -> None:
    where = [(20.0, 30.0), (20.0, 30.0 + apart_px)]
    carbon = draw(SHAPE, where, 1.2, [0.95, height])
    peaks = locate(carbon, NOTHING, dcnn_card)
    np.testing.assert_allclose(peaks.rowcol, expected, atol=0.1)


def test_of_two_peaks_too_near_the_higher_is_the_atom(
    draw: Draw, dcnn_card: DcnnCard
) -> None:
    where = [(20, 30), (20, 33), (40, 30), (43, 30)]
    carbon = draw(SHAPE, where, 0.8, [0.6, 0.9, 0.9, 0.6])
    peaks = locate(carbon, NOTHING, dcnn_card)
    np.testing.assert_allclose(peaks.rowcol, [(20, 33), (40, 30)], atol=0.1)


@pytest.mark.parametrize("size", [(2, 1), (1, 2), (2, 2), (3, 3), (4, 4), (2, 5)])
def test_a_plateau_of_equal_values_is_one_atom(
    dcnn_card: DcnnCard, size: tuple[int, int]
) -> None:
    height, width = size
    carbon = NOTHING.copy()
    carbon[20 : 20 + height, 30 : 30 + width] = 1.0
    peaks = locate(carbon, NOTHING, dcnn_card)
    assert len(peaks) == 1
    middle = [20 + (height - 1) / 2, 30 + (width - 1) / 2]
    np.testing.assert_allclose(peaks.rowcol[0], middle, atol=max(size) / 2)
    if max(size) == 2:
        np.testing.assert_allclose(peaks.rowcol[0], middle, atol=1e-6)


@pytest.mark.parametrize(
    "where",
    [(0.3, 30.2), (0.0, 30.0), (-0.3, 30.2), (63.3, 30.2), (30.1, -0.4), (20.0, 79.4)],
)
def test_an_atom_at_the_border_is_found(
    draw: Draw, dcnn_card: DcnnCard, where: tuple[float, float]
) -> None:
    others = [(32.0, 40.3), (20.2, 60.0)]
    peaks = locate(draw(SHAPE, [where, *others], SIGMA_PX, 0.9), NOTHING, dcnn_card)
    assert len(peaks) == 3
    nearest = np.hypot(*(peaks.rowcol - where).T).min()
    assert nearest < 0.02


@pytest.mark.parametrize(
    "where",
    [(-0.7, 30.2), (-1.5, 30.0), (63.8, 30.2), (30.1, -0.8), (20.0, 80.0), (-1, -1)],
)
def test_the_flank_of_an_atom_beyond_the_border_is_none(
    draw: Draw, dcnn_card: DcnnCard, where: tuple[float, float]
) -> None:
    others = [(32.0, 40.3), (20.2, 60.0)]
    carbon = draw(SHAPE, [where, *others], SIGMA_PX, 0.9)
    assert carbon[[0, -1]].max() > 0.35 or carbon[:, [0, -1]].max() > 0.35
    peaks = locate(carbon, NOTHING, dcnn_card)
    np.testing.assert_allclose(np.sort(peaks.rowcol[:, 0]), [20.2, 32.0], atol=0.02)


@pytest.mark.parametrize("silicon_share", [0.0, 0.49, 0.51, 1])
def test_silicon_has_its_share_of_the_probability(
    draw: Draw, dcnn_card: DcnnCard, silicon_share: float
) -> None:
    atom = draw(SHAPE, (20.3, 30.4), SIGMA_PX, 0.9)
    silicon = np.float32(silicon_share) * atom
    peaks = locate(atom - silicon, silicon, dcnn_card)
    np.testing.assert_allclose(peaks.silicon_share, [silicon_share], atol=1e-6)
    np.testing.assert_allclose(peaks.rowcol, [(20.3, 30.4)], atol=0.01)


def test_a_carbon_rim_around_silicon_is_no_second_atom(
    draw: Draw, dcnn_card: DcnnCard
) -> None:
    atom = draw(SHAPE, (20, 30), 2.5, 0.95)
    core = draw(SHAPE, (20, 30), 1.2, 0.9)
    peaks = locate(atom - np.minimum(core, atom), np.minimum(core, atom), dcnn_card)
    assert len(peaks) == 1
    assert peaks.silicon_share > 0.5


@pytest.mark.parametrize("shape", [(64, 80), (1, 1), (1, 20), (20, 1)])
def test_a_blank_map_holds_no_atoms(
    dcnn_card: DcnnCard, shape: tuple[int, int]
) -> None:
    blank = np.zeros(shape, np.float32)
    peaks = locate(blank, blank, dcnn_card)
    assert len(peaks) == 0
    assert peaks.rowcol.shape == (0, 2)


def test_certainty_everywhere_is_not_an_atom_at_every_pixel(
    dcnn_card: DcnnCard,
) -> None:
    peaks = locate(NOTHING + 1, NOTHING, dcnn_card)
    assert len(peaks) <= 1


def test_atoms_come_in_reading_order(draw: Draw, dcnn_card: DcnnCard) -> None:
    rng = np.random.default_rng(3)
    where = rng.uniform(3, 60, (40, 2))
    pixels = np.rint(locate(draw(SHAPE, where, 1.2), NOTHING, dcnn_card).rowcol)
    order = np.lexsort((pixels[:, 1], pixels[:, 0]))
    np.testing.assert_array_equal(order, np.arange(len(pixels)))


def test_scores_are_probabilities(draw: Draw, dcnn_card: DcnnCard) -> None:
    carbon = draw(SHAPE, [(20, 30), (40.5, 50.5)], SIGMA_PX)
    silicon = NOTHING + np.float32(1e-6)
    score = locate(carbon, silicon, dcnn_card).score
    assert ((score > 0.35) & (score <= 1)).all()


def positions(peaks: Peaks) -> NDArray[np.float64]:
    return peaks.rowcol[np.lexsort(peaks.rowcol.T)]


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_map_has_turned_atoms(
    draw: Draw, dcnn_card: DcnnCard, turns: int
) -> None:
    where = np.random.default_rng(5).uniform(0, 60, (30, 2))
    carbon = draw((61, 61), where, SIGMA_PX, 0.9)
    blank = np.zeros_like(carbon)
    straight = locate(carbon, blank, dcnn_card).rowcol - 30
    turned = locate(np.rot90(carbon, turns).copy(), blank, dcnn_card)
    for _ in range(turns):
        straight = np.stack([-straight[:, 1], straight[:, 0]], axis=1)
    expected = straight[np.lexsort(straight.T)] + 30
    np.testing.assert_allclose(positions(turned), expected, atol=1e-3)
