import math
from dataclasses import replace

import numpy as np
import pytest

from streamer.frame import Stream
from streamer.simulator.contamination import Blob
from streamer.simulator.microscope import Microscope, Probe, Scan
from streamer.simulator.movie import Exposure, Movie, expose, simulate
from streamer.simulator.sheet import SILICON, Growth, Sheet

STILL = Scan(jitter_px=0.0, wobble_nm=0.0)
SMALL = Microscope(shape=(128, 128), field_nm=2.0, frame_time_s=33.5 / 64)
BRIGHT = replace(
    SMALL,
    frame_time_s=1e4,
    background=0.0,
    read_noise=0.0,
    probe=Probe(tail_fraction=0.0),
)
MOVIE = Movie(frames=3, microscope=SMALL)
FEW = np.array([[0.5, 0.4], [1.5, 0.7], [0.22, 1.6], [1.1, 1.2]])


def few_atoms(microscope: Microscope, blobs: list[Blob] | None = None) -> Exposure:
    sheet = Sheet(FEW, np.zeros(4, np.uint8), np.zeros(4, np.int64), 2.0)
    return expose(sheet, blobs or [], microscope, 0, np.random.default_rng(1))


def test_the_same_seed_gives_the_same_movie() -> None:
    for one, other in zip(simulate(MOVIE, 5), simulate(MOVIE, 5), strict=True):
        assert one.image.tobytes() == other.image.tobytes()
        assert one.truth.row_px.tobytes() == other.truth.row_px.tobytes()
        assert one.truth.species.tobytes() == other.truth.species.tobytes()


def test_another_seed_gives_another_movie() -> None:
    one, other = (next(simulate(MOVIE, seed)) for seed in (5, 6))
    assert (one.image != other.image).mean() > 0.99
    assert (
        len(one.truth) != len(other.truth)
        or (one.truth.row_px != other.truth.row_px).any()
    )


def test_a_longer_movie_begins_as_a_shorter_one() -> None:
    short = list(simulate(MOVIE, 5))
    long = simulate(replace(MOVIE, frames=5), 5)
    for one, other in zip(short, long, strict=False):
        assert one.image.tobytes() == other.image.tobytes()


@pytest.mark.parametrize("frames", [0, 1, 4])
def test_a_movie_has_as_many_frames_as_asked(frames: int) -> None:
    exposures = list(simulate(replace(MOVIE, frames=frames), 1))
    assert [exposure.index for exposure in exposures] == list(range(frames))


@pytest.mark.parametrize(
    "movie",
    [
        replace(MOVIE, microscope=replace(SMALL, shape=(8, 8), field_nm=0.1)),
        replace(MOVIE, microscope=replace(SMALL, shape=(1, 1), field_nm=0.3)),
        replace(MOVIE, microscope=replace(SMALL, shape=(16, 200))),
        replace(MOVIE, microscope=replace(SMALL, shape=(200, 16))),
        replace(MOVIE, growth=Growth(silicon_per_nm2=0)),
        replace(MOVIE, growth=Growth(holes_per_nm2=0)),
        replace(MOVIE, growth=Growth(holes_per_nm2=50, hole_radius_nm=(3, 3))),
        replace(MOVIE, growth=Growth(fragments=1)),
        replace(MOVIE, blob_radius_nm=0),
        replace(MOVIE, microscope=replace(SMALL, current_pa=0)),
    ],
    ids=[
        "tiny field", "one pixel", "wide", "tall", "no Si", "no holes",
        "nothing but a hole", "one grain", "no dirt", "no beam",
    ],
)  # fmt: skip
def test_any_movie_can_be_made(movie: Movie) -> None:
    rows, cols = movie.microscope.shape
    for exposure in simulate(movie, 3):
        assert exposure.image.shape == (rows, cols)
        assert exposure.image.dtype == np.float32
        assert np.isfinite(exposure.image).all()
        truth = exposure.truth
        assert ((truth.row_px >= -0.5) & (truth.row_px <= rows - 0.5)).all()
        assert ((truth.col_px >= -0.5) & (truth.col_px <= cols - 0.5)).all()
        assert ((truth.crystallinity >= 0) & (truth.crystallinity <= 1)).all()


def test_without_silicon_there_is_none() -> None:
    movie = replace(MOVIE, growth=Growth(silicon_per_nm2=0))
    assert not any((e.truth.species == SILICON).any() for e in simulate(movie, 1))


def test_a_clean_sheet_hides_nothing() -> None:
    movie = replace(MOVIE, blob_radius_nm=0)
    assert not any(e.truth.hidden.any() for e in simulate(movie, 1))


def test_a_movie_goes_from_order_to_ruin() -> None:
    field = Microscope(shape=(160, 160), field_nm=5.0)
    truths = [e.truth for e in simulate(Movie(frames=51, microscope=field), 2)]
    counts = [len(truths[index]) for index in (0, 25, 50)]
    order = [truths[index].crystallinity.mean() for index in (0, 25, 50)]
    assert counts[0] > counts[1] > counts[2] > 0.4 * counts[0]
    assert order[0] > 0.95
    assert order[0] > order[1] > order[2] > 0.3


@pytest.mark.parametrize(
    "scan",
    [
        STILL,
        replace(STILL, drift_nm=(0.08, -0.05)),
        replace(STILL, wobble_nm=0.05),
        replace(STILL, flyback_nm=0.3),
        Scan(drift_nm=(0.05, 0.05), wobble_nm=0.03, flyback_nm=0.02),
    ],
    ids=["still", "drift", "wobble", "fly-back", "all, with jitter"],
)
def test_the_truth_is_where_the_image_shows_the_atom(scan: Scan) -> None:
    exposure = few_atoms(replace(BRIGHT, scan=scan))
    ideal = FEW / SMALL.pixel_size_nm - 0.5
    rowcol = np.stack([exposure.truth.row_px, exposure.truth.col_px], axis=1)
    if scan != STILL:
        assert np.abs(rowcol - ideal[:, ::-1]).max() > 0.4
    for row, col in rowcol:
        top, left = round(row) - 10, round(col) - 10
        around = exposure.image[top : top + 21, left : left + 21].astype(float)
        y, x = np.indices(around.shape)
        found = np.array([(y * around).sum(), (x * around).sum()]) / around.sum()
        tolerance = 0.05 if scan.jitter_px == 0 else 0.4
        np.testing.assert_allclose(found, [row - top, col - left], atol=tolerance)


def test_atoms_under_contamination_are_said_to_be_hidden() -> None:
    blob = Blob((0.5, 0.5), 0.4, np.zeros((3, 2)), 50.0)
    exposure = few_atoms(replace(BRIGHT, scan=STILL), [blob])
    assert exposure.truth.hidden.tolist() == [True, False, False, False]
    amorphous = exposure.image[20:44, 20:44].mean()
    sheet = 38.2 * SMALL.pixel_size_nm**2 * BRIGHT.counts_per_carbon
    assert amorphous == pytest.approx(50 * sheet, rel=0.2)


def test_noise_changes_from_frame_to_frame() -> None:
    first, second, _ = simulate(MOVIE, 1)
    assert (first.image != second.image).mean() > 0.99


def test_a_frame_says_when_and_how_it_was_made() -> None:
    stream = Stream("id", "simulator", "HAADF")
    *_, exposure = simulate(MOVIE, 1)
    frame = exposure.frame(stream, 1_000)
    assert frame.stream == stream
    assert frame.seq == 2
    assert frame.image is exposure.image
    assert frame.pixel_size_nm == 2.0 / 128
    period_ns = round(SMALL.frame_time_s * 1e9)
    assert frame.start_ns == 1_000 + 2 * period_ns
    assert frame.end_ns == 1_000 + 3 * period_ns
    assert frame.dwell_time_us == pytest.approx(31.95, abs=0.01)
    assert frame.dose_e_nm2 == pytest.approx(1.6336e7, rel=1e-3)


def test_counts_of_a_frame_are_those_of_its_atoms() -> None:
    movie = Movie(
        frames=1,
        growth=Growth(holes_per_nm2=0, silicon_per_nm2=0),
        microscope=replace(SMALL, background=0.0),
        blob_radius_nm=0,
    )
    (exposure,) = simulate(movie, 1)
    expected = 38.2 * 2.0**2 * SMALL.counts_per_carbon
    scatter = 4 * math.sqrt(expected) / expected + 0.01
    assert exposure.image.sum() == pytest.approx(expected, rel=scatter)
