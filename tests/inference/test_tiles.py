"""Large frames go through the network in pieces, and nothing of that is seen."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.analyse import Analyser, History
from inference.model import Model
from inference.tiles import in_tiles, tiles
from streamer.frame import Frame
from streamer.simulator.microscope import scaled_microscope
from streamer.simulator.movie import expose
from streamer.simulator.sheet import Growth, grow_sheet

type Maps = tuple[NDArray[np.float32], NDArray[np.float32]]

SMALL_PX = 320 * 320
"""A bound that makes many tiles of a small frame."""

SHAPES = [
    (4096, 4096, 112, 2**22),
    (64, 65536, 112, 2**20),
    (65536, 64, 112, 2**20),
    (640, 1040, 112, SMALL_PX),
    (640, 1040, 0, SMALL_PX),
    (1600, 16, 250, 4096),
    (640, 640, 112, 16),
]


@pytest.fixture(scope="module")
def frame(make_frame: Callable[..., Frame]) -> Frame:
    """A sheet with Si and holes, and contamination so bright that scale matters."""
    rng = np.random.default_rng(3)
    sheet = grow_sheet(Growth(field_nm=14.0, silicon_per_nm2=0.3), rng)
    image = expose(sheet, [], scaled_microscope(700, 14.0, 1.0), 0, rng).image
    image[:150, :200] += rng.poisson(200, (150, 200))
    return make_frame(image, pixel_size_nm=0.02)


@pytest.mark.parametrize(("rows", "cols", "reach_px", "most_px"), SHAPES)
def test_what_is_kept_of_tiles_covers_each_pixel_once_and_far_from_their_ends(
    rows: int, cols: int, reach_px: int, most_px: int
) -> None:
    times = np.zeros((rows, cols), np.uint8)
    for tile in tiles((rows, cols), 16, reach_px, most_px):
        times[tile[0].kept, tile[1].kept] += 1
        for span, side in zip(tile, (rows, cols), strict=True):
            assert span.seen.start % 16 == span.seen.stop % 16 == 0
            assert span.kept.start - span.seen.start >= min(reach_px, span.kept.start)
            assert span.seen.stop - span.kept.stop >= min(
                reach_px, side - span.kept.stop
            )
    assert (times == 1).all()


@pytest.mark.parametrize(("rows", "cols", "reach_px", "most_px"), SHAPES[:5])
def test_no_tile_is_larger_than_the_bound(
    rows: int, cols: int, reach_px: int, most_px: int
) -> None:
    for row, col in tiles((rows, cols), 16, reach_px, most_px):
        seen = (row.seen.stop - row.seen.start) * (col.seen.stop - col.seen.start)
        assert seen <= most_px


def test_the_network_looks_no_farther_than_its_card_says(
    analyser: Analyser,
) -> None:
    card = analyser.model.card.dcnn
    reach = seen_reach(analyser.model)
    assert card.reach_px - card.stride_px < reach <= card.reach_px


def seen_reach(model: Model) -> int:
    """Pixels beyond the border of what has changed at which the output still does."""
    rng = np.random.default_rng(1)
    farthest = 0
    for first in (248, 255, 263):
        image = rng.normal(0, 3, (512, 64)).astype(np.float32)
        changed = image.copy()
        changed[:first] = rng.normal(0, 3, (first, 64))
        for transposed in (False, True):
            pair = (image.T, changed.T) if transposed else (image, changed)
            maps, others = (model.segment(np.ascontiguousarray(part)) for part in pair)
            differs = (maps[0] != others[0]) | (maps[1] != others[1])
            rows = np.flatnonzero(differs.any(axis=0 if transposed else 1))
            farthest = max(farthest, int(rows.max()) - first + 1)
    return farthest


def test_probabilities_have_no_seam(analyser: Analyser) -> None:
    image = np.random.default_rng(1).normal(0, 1, (640, 1040)).astype(np.float32)
    network, card = analyser.model.segment, analyser.model.card.dcnn
    pieces = in_tiles(image, network, card.stride_px, card.reach_px, SMALL_PX)
    for piece, whole in zip(pieces, network(image), strict=True):
        np.testing.assert_allclose(piece, whole, atol=2e-6)


def test_with_less_overlap_there_would_be_a_seam(analyser: Analyser) -> None:
    image = np.random.default_rng(1).normal(0, 1, (640, 1040)).astype(np.float32)
    network, card = analyser.model.segment, analyser.model.card.dcnn
    pieces = in_tiles(image, network, card.stride_px, 32, SMALL_PX)
    assert np.abs(pieces[0] - network(image)[0]).max() > 1e-3


def test_atoms_of_a_tiled_frame_are_those_of_the_whole(
    analyser: Analyser, frame: Frame
) -> None:
    whole = analyser.analyse(frame, History())
    tiled = Analyser(analyser.model, most_px=SMALL_PX).analyse(frame, History())
    assert tiled.flags == whole.flags
    assert len(tiled.atoms) == len(whole.atoms) > 4000
    for name, column in whole.atoms.columns().items():
        np.testing.assert_allclose(
            tiled.atoms.columns()[name], column, rtol=1e-3, atol=1e-3, err_msg=name
        )
