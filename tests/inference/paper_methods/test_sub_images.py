"""Sub-images as they are cut from the maps of a sheet, turned to lie as is wanted."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from inference.card import DcnnCard
from inference.describe import Described
from inference.order_parameters import orientation_deg
from inference.paper_methods.sub_images import (
    WIDE_PX,
    Look,
    Seen,
    Share,
    sample,
    turn_to,
)
from inference.paper_methods.window_size import SIDE_PX, WINDOWS_NM
from inference.resample import Grid
from inference.segment import Maps
from streamer.simulator.sheet import honeycomb

type Draw = Callable[..., np.ndarray]
MAPS_NM = 0.02


class Nothing:
    """A describer that has nothing to say."""

    def describe(self, _maps: Maps, rowcol: np.ndarray) -> Described:
        return Described(np.zeros((len(rowcol), 1), np.float32), rowcol[:, 0] < 0)


def sheet(draw: Draw, turn_rad: float, side_px: int = 180) -> Look:
    """Maps of a whole sheet, turned."""
    xy_px = honeycomb(4.2, turn_rad) / MAPS_NM + side_px / 2
    rowcol = xy_px[:, ::-1]
    within = ((rowcol > 0) & (rowcol < side_px - 1)).all(axis=1)
    shape = (side_px, side_px)
    image = draw(shape, rowcol[within], 2.0, 0.9)
    maps = Maps(image, np.zeros_like(image), Grid(shape, shape))
    return lambda: maps


def ignored(_done: int, _total: int) -> None:
    pass


@pytest.mark.parametrize("turn", [0.0, 0.4, -0.3])
@pytest.mark.parametrize("wanted_deg", [-25.0, 12.0])
def test_a_sheet_is_turned_to_lie_as_is_wanted(
    draw: Draw, dcnn_card: DcnnCard, turn: float, wanted_deg: float
) -> None:
    look = sheet(draw, turn)
    turn_rad = turn_to([look], dcnn_card, wanted_deg)
    assert turn_rad is not None
    assert abs(math.degrees(turn_rad)) <= 30.1
    seen = Seen(dcnn_card, Nothing(), ("small",), turn_rad)
    images = sample([look], seen, Share(60), ignored)["small"]
    assert orientation_deg(images.angle_rad) == pytest.approx(wanted_deg, abs=0.5)
    # The pictures say the same as the numbers.
    for window, angle in zip(images.windows[:20], images.angle_rad[:20], strict=True):
        assert bond_rad(window) == pytest.approx(3 * angle, abs=0.25) or (
            abs(abs(bond_rad(window) - 3 * angle) - 2 * math.pi) < 0.25
            or abs(abs(bond_rad(window) - 3 * angle) - 4 * math.pi) < 0.25
        )


def bond_rad(window: np.ndarray) -> float:
    """Three times the direction of the three spots around the middle one."""
    axis = (np.arange(SIDE_PX) - SIDE_PX / 2) * WINDOWS_NM["small"]
    along = axis[None, :] - 1j * axis[:, None]
    ring = (np.abs(along) > 0.09) & (np.abs(along) < 0.19)
    return float(np.angle((window[ring] * (along[ring] / abs(along[ring])) ** 3).sum()))


def test_atoms_whose_window_leaves_the_frame_when_turned_are_left_out(
    draw: Draw, dcnn_card: DcnnCard
) -> None:
    seen = Seen(dcnn_card, Nothing(), ("small", "large"), 0.3)
    both = sample([sheet(draw, 0.1)], seen, Share(1000), ignored)
    assert 0 < len(both["large"]) < len(both["small"])
    assert both["small"].wide.shape[1] == WIDE_PX
    # 1.4 nm: the circle around a large window is 1.45 nm wide.
    small = sample([sheet(draw, 0.1, 70)], seen, Share(1000), ignored)
    assert set(small) == {"small"}


def test_as_many_are_drawn_of_each_frame_and_the_same_again(
    draw: Draw, dcnn_card: DcnnCard
) -> None:
    looks = [sheet(draw, 0.1), lambda: None, sheet(draw, 0.2)]
    seen = Seen(dcnn_card, Nothing(), ("small",))
    first, again = (sample(looks, seen, Share(9), ignored) for _ in range(2))
    assert np.bincount(first["small"].frame).tolist() == [9, 0, 9]
    np.testing.assert_array_equal(first["small"].wide, again["small"].wide)


def test_where_there_is_no_lattice_nothing_is_turned_and_nothing_is_cut(
    dcnn_card: DcnnCard,
) -> None:
    empty = np.zeros((90, 90), np.float32)
    maps = Maps(empty, empty, Grid((90, 90), (90, 90)))
    assert turn_to([lambda: maps], dcnn_card, 12.0) is None
    seen = Seen(dcnn_card, Nothing(), ("small", "large"))
    assert sample([lambda: maps, lambda: None], seen, Share(5), ignored) == {}
    assert sample([], seen, Share(5), ignored) == {}
