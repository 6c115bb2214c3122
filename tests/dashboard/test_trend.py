from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashboard.bins import BINS, Bins
from dashboard.grid import COLUMNS
from dashboard.history import History, begun, extended
from dashboard.scene import ANGLE
from dashboard.trend import Span, span, trend
from streamer.analysis import Analysis, Flag

type Movie = Callable[[int], Analysis]


def history_of(movie: Movie, *seqs: int) -> History:
    """One drawn frame again and again, under the numbers `seqs`."""
    result = begun(replace(movie(0), seq=seqs[0]))
    for seq in seqs[1:]:
        result = extended(result, replace(movie(0), seq=seq), scene_bytes=1)
    return result


def test_a_frame_is_a_column(movie: Movie) -> None:
    result = trend(history_of(movie, 4, 5, 6))
    assert result.lines["seq"].tolist() == [4, 5, 6]
    assert result.maps["crystallinity"].shape == (BINS, 3)
    atoms = movie(0).summary.counts
    assert result.lines["C"].tolist() == [atoms["C"]] * 3
    assert result.lines["Si"].tolist() == [atoms["Si"]] * 3


def test_the_lattice_drifts_from_the_first_frame_on(movie: Movie) -> None:
    history = begun(movie(0))
    for seq in (1, 3):
        history = extended(history, movie(seq), scene_bytes=1)
    lines = trend(history).lines
    constant_nm = [0.246, 0.24601, np.nan, 0.24603]
    np.testing.assert_allclose(lines["lattice_constant_nm"], constant_nm, rtol=1e-6)
    percent = [0, 0.1 / 24.6, np.nan, 0.3 / 24.6]
    np.testing.assert_allclose(lines["lattice_drift_percent"], percent, atol=1e-4)


def test_lattices_that_told_their_own_pixel_size_drift_in_pixels(movie: Movie) -> None:
    def told(seq: int, pixel_size_nm: float) -> Analysis:
        summary = replace(movie(0).summary, lattice_constant_nm=0.246)
        flags = (Flag.PIXEL_SIZE_ESTIMATED,)
        return replace(
            movie(0),
            seq=seq,
            summary=summary,
            flags=flags,
            pixel_size_nm=pixel_size_nm,
        )

    history = extended(begun(told(0, 0.02)), told(1, 0.0198), scene_bytes=1)
    drift = trend(history).lines["lattice_drift_percent"]
    np.testing.assert_allclose(drift, [0, 100 / 99], atol=1e-4)


def test_a_gap_breaks_lines_and_leaves_its_columns_empty(movie: Movie) -> None:
    result = trend(history_of(movie, 0, 3))
    assert np.isnan(result.lines["C"]).tolist() == [False, True, True, False]
    assert result.maps[ANGLE].any(axis=0).tolist() == [True, False, False, True]


@pytest.mark.parametrize("last", [COLUMNS - 1, COLUMNS, 10 * COLUMNS, 2**62])
def test_however_many_frames_there_are_the_columns_are_bounded(
    movie: Movie, last: int
) -> None:
    result = trend(history_of(movie, 0, last))
    assert COLUMNS / 2 <= len(result.lines["seq"]) <= COLUMNS
    assert result.start + result.width * len(result.lines["seq"]) > last
    assert not np.isnan(result.lines["C"][[0, -1]]).any()


def test_the_most_frequent_value_of_a_frame_is_brightest(movie: Movie) -> None:
    history = history_of(movie, 0)
    counts = history.records["histograms"][0, 0]
    (column,) = trend(history).maps[ANGLE].T
    assert column.max() == 255
    assert column.argmax() == counts.argmax()
    assert ((column > 0) == (counts > 0)).all()


@pytest.mark.parametrize(
    ("filled", "rare", "expected"),
    [
        pytest.param({10: 5, 12: 5}, 0.0, Span(10, 13), id="all that is there"),
        pytest.param({0: 1, 9: 99, 63: 1}, 0.02, Span(9, 10), id="without the rare"),
        pytest.param({63: 3}, 0.01, Span(63, 64), id="the last bin"),
        pytest.param({}, 0.01, Span(0, 64), id="nothing: all bins"),
    ],
)
def test_a_span_holds_what_was_seen(
    filled: dict[int, int], rare: float, expected: Span
) -> None:
    counts = np.zeros(BINS)
    counts[list(filled)] = list(filled.values())
    assert span(counts, Bins(0.0, float(BINS)), rare) == expected


def test_an_angle_keeps_its_whole_period(movie: Movie) -> None:
    assert trend(history_of(movie, 0)).seen[ANGLE] == Span(-60.0, 60.0)
