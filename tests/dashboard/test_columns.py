from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashboard.bins import BINS
from dashboard.columns import image_columns, map_columns, now_columns
from dashboard.history import begun, extended
from dashboard.scene import ANGLE
from dashboard.trend import trend
from streamer.analysis import Analysis
from streamer.atoms import Atoms

type Movie = Callable[[int], Analysis]


def test_the_image_covers_the_frame(movie: Movie) -> None:
    columns = image_columns(begun(movie(0)).newest)
    half_px = movie(0).pixel_size_nm / 2
    assert (columns["x"], columns["y"]) == ([-half_px], [-half_px])
    assert (columns["dw"], columns["dh"]) == ([3.0], [3.0])


def test_each_column_of_a_heat_map_lies_around_its_frame(movie: Movie) -> None:
    history = extended(begun(movie(3)), movie(4), scene_bytes=1)
    columns = map_columns(trend(history), ANGLE)
    assert (columns["x"], columns["dw"]) == ([2.5], [2.0])
    assert (columns["y"], columns["dh"]) == ([-60.0], [120.0])


def test_a_histogram_is_a_share_of_all_atoms(movie: Movie) -> None:
    history = begun(movie(0))
    columns = now_columns(history.newest, "z1", history.bins["z1"])
    assert sum(columns["percent"]) == pytest.approx(100)
    assert columns["bottom"][1:].tolist() == columns["top"][:-1].tolist()


def test_a_histogram_of_nothing_is_empty(movie: Movie) -> None:
    history = begun(replace(movie(0), atoms=Atoms.none()))
    columns = now_columns(history.newest, ANGLE, history.bins[ANGLE])
    assert columns["percent"].tolist() == [0.0] * BINS
    assert columns["percent"].dtype == np.float32
