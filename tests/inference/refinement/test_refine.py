"""Positions are measured: slope, RMSD and error bars, watched together.

Each alone can be fooled: who reports the lattice has the smallest RMSD and slope 0.
The start is always the lattice's own site, the worst that a network can report.
"""

from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.refinement import local_shift
from inference.refinement.refine import Fate, Refined, refine
from streamer.simulator.contamination import Blob
from streamer.simulator.microscope import Probe
from tests.accuracy.voronoi import moved_cells, slope_of_answer


class Scene(Protocol):
    image: NDArray[np.float32]
    pixel_size_nm: float
    sites: NDArray[np.float64]
    true: NDArray[np.float64]
    species: NDArray[np.uint8]
    bound: NDArray[np.float64]
    score: NDArray[np.float32]
    whole: NDArray[np.bool_]


class Stage(Protocol):
    def scene(self, dose: float = 1.0, **changed: object) -> Scene: ...


def refined(scene: Scene, image: NDArray[np.float32] | None = None) -> Refined:
    return refine(
        scene.image if image is None else image,
        scene.sites,
        scene.species,
        scene.score,
        scene.pixel_size_nm,
    )


def slope(scene: Scene, found: Refined) -> float:
    true = (scene.true - scene.sites)[scene.whole]
    measured = (found.rowcol - scene.sites)[scene.whole]
    return float((true * measured).sum() / (true**2).sum())


def errors(scene: Scene, found: Refined) -> NDArray[np.float64]:
    chosen = scene.whole & (found.fate == Fate.REFINED)
    return np.asarray((found.rowcol - scene.true)[chosen])


@pytest.mark.parametrize(
    ("dose", "slopes", "excess"),
    [(4.0, (0.95, 1.05), 1.2), (1.0, (0.93, 1.07), 1.15), (0.25, (0.85, 1.15), 1.15)],
    ids=["4 x nominal dose", "nominal dose", "a quarter of it"],
)
def test_displacements_are_seen_as_well_as_they_can_be(
    stage: Stage, dose: float, slopes: tuple[float, float], excess: float
) -> None:
    scene = stage.scene(dose)
    found = refined(scene)
    assert slopes[0] < slope(scene, found) < slopes[1]
    error = errors(scene, found)
    chosen = scene.whole & (found.fate == Fate.REFINED)
    best = np.sqrt(scene.bound[chosen].sum(axis=1).mean())
    assert np.sqrt((error**2).sum(axis=1).mean()) < excess * best
    within = np.abs(error) < found.sigma[chosen]
    assert 0.62 < within.mean() < 0.76
    assert (found.fate == Fate.PRUNED).sum() <= 2


@pytest.mark.parametrize("vacuum", [0.3, 0.5, 0.6, 0.85])
def test_however_much_of_the_frame_is_vacuum_the_sheet_is_fitted(
    stage: Stage, vacuum: float
) -> None:
    scene = stage.scene(1.0, vacuum=vacuum)
    found = refined(scene)
    chosen = scene.whole & (found.fate == Fate.REFINED)
    assert chosen.sum() > 0.98 * scene.whole.sum()
    best = np.sqrt(scene.bound[chosen].sum(axis=1).mean())
    assert np.sqrt((errors(scene, found) ** 2).sum(axis=1).mean()) < 1.2 * best


@pytest.mark.parametrize(
    ("gain", "offset"),
    [(0.01, 0.0), (7.5, 40.0), (3e-4, -0.2), (1e6, -1e5)],
    ids=["0 to 1", "0 to 255", "an offset below zero", "huge"],
)
def test_any_grey_scale_gives_the_same_positions(
    stage: Stage, gain: float, offset: float
) -> None:
    scene = stage.scene(4.0)
    grey = (scene.image * gain + offset).astype(np.float32)
    found, same = refined(scene), refined(scene, grey)
    np.testing.assert_allclose(same.rowcol, found.rowcol, atol=0.02)
    np.testing.assert_allclose(same.sigma, found.sigma, rtol=0.02)
    np.testing.assert_array_equal(same.fate, found.fate)


@pytest.mark.parametrize(
    ("pixel_size_nm", "side"), [(0.004, 900), (0.008, 500), (0.024, 220)], ids=str
)
def test_every_pixel_size_gives_unbiased_positions(
    stage: Stage, pixel_size_nm: float, side: int
) -> None:
    scene = stage.scene(4.0, side=side, pixel_size_nm=pixel_size_nm)
    found = refined(scene)
    assert 0.9 < slope(scene, found) < 1.1
    bias = errors(scene, found).mean(axis=0) * pixel_size_nm
    np.testing.assert_allclose(bias, 0, atol=0.002)


def test_the_probe_is_found_in_the_frame(stage: Stage) -> None:
    true = Probe(fwhm_nm=0.12, astigmatism=0.08, tail_fraction=0.2)
    probe = refined(stage.scene(4.0, side=512, probe=true, jitter_px=0)).probe
    assert probe is not None
    sigma = 0.12 / 2.3548
    assert probe.sigma_col_nm == pytest.approx(sigma * 1.08, rel=0.05)
    assert probe.sigma_row_nm == pytest.approx(sigma * 0.92, rel=0.05)


def test_the_same_frame_gives_the_same_bits(stage: Stage) -> None:
    scene = stage.scene()
    first, second = refined(scene), refined(scene)
    np.testing.assert_array_equal(first.rowcol, second.rowcol)
    np.testing.assert_array_equal(first.sigma, second.sigma)


def test_a_false_atom_in_vacuum_is_pruned_and_true_ones_are_not(stage: Stage) -> None:
    scene = stage.scene(4.0)
    rows, cols = np.mgrid[30:290:4, 30:290:4]
    grid = np.stack([rows, cols], axis=-1).reshape(-1, 2).astype(float)
    distance = np.linalg.norm(grid[:, None] - scene.true, axis=2).min(axis=1)
    false = grid[np.argmax(distance)]
    assert distance.max() * scene.pixel_size_nm > 0.2
    found = refine(
        scene.image,
        np.vstack([false, scene.sites]),
        np.append(np.uint8(0), scene.species),
        np.append(np.float32(0.5), scene.score),
        scene.pixel_size_nm,
    )
    assert found.fate[0] == Fate.PRUNED
    assert (found.fate[1:] == Fate.PRUNED).sum() == 0


@pytest.mark.parametrize(("dose", "share"), [(4.0, 0.9), (1.0, 0.7)], ids=str)
def test_most_missed_atoms_are_added_behind_those_given(
    stage: Stage, dose: float, share: float
) -> None:
    scene = stage.scene(dose)
    inner = ((scene.true > 40) & (scene.true < 280)).all(axis=1)
    missed = np.flatnonzero(inner)[::25]
    given = np.delete(np.arange(len(scene.sites)), missed)
    found = refine(
        scene.image,
        scene.sites[given],
        scene.species[given],
        scene.score[given],
        scene.pixel_size_nm,
    )
    added = found.rowcol[len(given) :]
    assert (found.fate[len(given) :] == Fate.ADDED).all()
    assert (found.fate[: len(given)] != Fate.ADDED).all()
    assert share * len(missed) < len(added) <= len(missed)
    apart = np.linalg.norm(added[:, None] - scene.true[missed], axis=2)
    assert apart.min(axis=1).max() * scene.pixel_size_nm < 0.06
    nearest = missed[apart.argmin(axis=1)]
    np.testing.assert_array_equal(found.species[len(given) :], scene.species[nearest])
    assert (found.score[len(given) :] > 0.9).all()
    assert (found.score[len(given) :] <= 1).all()
    assert np.isfinite(found.sigma[len(given) :]).all()


def test_missed_silicon_is_silicon(stage: Stage) -> None:
    scene = stage.scene(4.0)
    given = scene.species == 0
    found = refine(
        scene.image,
        scene.sites[given],
        scene.species[given],
        scene.score[given],
        scene.pixel_size_nm,
    )
    whole = scene.whole & ~given
    assert whole.any()
    assert (found.species[found.fate == Fate.ADDED] == 1).sum() == whole.sum()


@pytest.mark.parametrize("dose", [4.0, 1.0, 0.25, 0.1], ids=str)
def test_nothing_is_added_where_nothing_is_missed(stage: Stage, dose: float) -> None:
    blob = Blob((1.0, 2.5), 0.8, np.zeros((3, 2)), 6.0)
    found = refined(stage.scene(dose, blob=blob))
    assert (found.fate != Fate.ADDED).all()


def test_silicon_is_brighter_and_known_better(stage: Stage) -> None:
    scene = stage.scene(4.0)
    found = refined(scene)
    silicon = (scene.species == 1) & scene.whole
    carbon = (scene.species == 0) & scene.whole
    assert np.median(found.amplitude[silicon]) == pytest.approx(4.2, rel=0.15)
    assert np.nanmedian(found.sigma[silicon]) < 0.6 * np.nanmedian(found.sigma[carbon])


def test_atoms_beneath_contamination_stay_where_the_network_saw_them(
    stage: Stage,
) -> None:
    blob = Blob((1.0, 2.5), 0.8, np.zeros((3, 2)), 6.0)
    scene = stage.scene(4.0, blob=blob)
    found = refined(scene)
    covered = blob.covers((scene.true[:, ::-1] + 0.5) * scene.pixel_size_nm)
    assert (found.fate[covered] == Fate.KEPT).all()
    assert np.isnan(found.sigma[covered]).all()
    np.testing.assert_array_equal(found.rowcol[covered], scene.sites[covered])
    far = found.fate[~covered & scene.whole]
    assert (far == Fate.REFINED).mean() > 0.85


def test_neighbouring_silicon_is_not_taken_for_contamination(stage: Stage) -> None:
    scene = stage.scene(4.0)
    middle = np.argmin(np.linalg.norm(scene.true - 160, axis=1))
    nearest = np.argsort(np.linalg.norm(scene.true - scene.true[middle], axis=1))[:6]
    image = scene.image.copy()
    rows, cols = np.indices(image.shape)
    for row, col in scene.true[nearest[[0, 3]]]:
        halo = np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / 2 / 3.4**2)
        image += np.float32(5 * 260 / (2 * np.pi * 3.4**2)) * halo.astype(np.float32)
    species = scene.species.copy()
    species[nearest[[0, 3]]] = 1
    found = refine(image, scene.sites, species, scene.score, scene.pixel_size_nm)
    assert (found.fate[nearest] == Fate.REFINED).all()
    far = scene.whole & (np.linalg.norm(scene.true - 160, axis=1) > 40)
    error = np.linalg.norm(found.rowcol - scene.true, axis=1)
    usual = np.linalg.norm(refined(scene).rowcol - scene.true, axis=1)
    assert np.median(error[far]) < 1.1 * np.median(usual[far])
    # Their own image is wider than that of C, and must not become the probe.
    assert found.probe is not None
    assert found.probe.fwhm_nm < 0.107


def test_where_the_picture_moves_in_pieces_atoms_follow_their_piece(
    stage: Stage,
) -> None:
    scene = stage.scene(40.0, displaced_pm=0.0, jitter_px=0)
    rng = np.random.default_rng(8)
    displaced = rng.normal(0, 0.012 / scene.pixel_size_nm, scene.sites.shape)
    image = moved_cells(scene.image, scene.sites, displaced)
    whole = scene.whole
    answer = (refined(scene, image).rowcol - scene.sites)[whole]
    assert slope_of_answer(answer, displaced[whole]) > 0.87


@pytest.mark.parametrize("dose", [4.0, 1.0, 0.25], ids=str)
def test_where_atoms_are_a_sum_no_shift_of_their_surroundings_is_followed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, dose: float
) -> None:
    scene = stage.scene(dose)
    found = refined(scene)
    monkeypatch.setattr(local_shift, "FOLLOWED", 0.0)
    moved = np.abs(found.rowcol - refined(scene).rowcol)
    assert np.sqrt(np.square(moved).mean()) < 0.2 * np.nanmedian(found.sigma)


def test_jitter_widens_the_error_bars_along_x_only(stage: Stage) -> None:
    row, col = np.nanmedian(refined(stage.scene(8.0, jitter_px=0.6)).sigma, axis=0)
    assert col > 1.3 * row


@pytest.mark.parametrize(
    "changed",
    [
        {"dose": 0.02},
        {"dose": 4.0, "probe": Probe(fwhm_nm=0.2)},
    ],
    ids=["too noisy", "neighbours not resolved"],
)
def test_where_a_fit_makes_no_sense_the_network_is_believed(
    stage: Stage, changed: dict[str, object]
) -> None:
    scene = stage.scene(**changed)  # type: ignore[arg-type]  # a table of keywords
    assert_as_given(scene.sites, refined(scene))


def test_more_atoms_than_there_can_be_are_left_to_the_network(stage: Stage) -> None:
    scene = stage.scene(4.0)
    near = np.arange(-1, 2) * 0.05 / scene.pixel_size_nm
    around = np.stack(np.meshgrid(near, near), axis=-1).reshape(-1, 2)
    crowd = (scene.sites[:, None] + around).reshape(-1, 2)
    silicon = np.zeros(len(crowd), np.uint8)
    score = np.ones(len(crowd), np.float32)
    found = refine(scene.image, crowd, silicon, score, scene.pixel_size_nm)
    assert_as_given(crowd, found)


def assert_as_given(start: NDArray[np.float64], found: Refined) -> None:
    np.testing.assert_array_equal(found.rowcol, start)
    assert np.isnan(found.sigma).all()
    assert (found.fate == Fate.KEPT).all()
    assert found.probe is None


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((64, 80), np.float32),
        np.full((64, 80), 1e30, np.float32),
        np.eye(64, 80, dtype=np.float32) * 1e30,
        np.random.default_rng(0).normal(0, 1, (64, 80)).astype(np.float32),
        np.random.default_rng(0).poisson(0.01, (64, 80)).astype(np.float32),
        -np.random.default_rng(0).poisson(5, (64, 80)).astype(np.float32),
    ],
    ids=["blank", "constant", "one bright line", "noise", "few counts", "negative"],
)
@pytest.mark.parametrize("count", [0, 1, 11, 60])
def test_what_is_no_frame_of_atoms_fails_nothing(
    image: NDArray[np.float32], count: int
) -> None:
    start = np.random.default_rng(1).uniform(-0.5, 63.5, (count, 2))
    species, score = np.zeros(count, np.uint8), np.ones(count, np.float32)
    found = refine(image, start, species, score, 0.0156)
    assert len(found) >= count
    np.testing.assert_array_equal(found.fate[count:], Fate.ADDED)
    assert np.isfinite(found.rowcol).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (17, 16)], ids=str)
def test_tiny_frames_fail_nothing(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    image = rng.poisson(1.0, shape).astype(np.float32)
    start = rng.uniform(-0.5, np.array(shape) - 0.5, (20, 2))
    species, score = np.zeros(20, np.uint8), np.ones(20, np.float32)
    for pixel_size_nm in (0.003, 0.0156, 0.06):
        found = refine(image, start, species, score, pixel_size_nm)
        assert np.isfinite(found.rowcol).all()


def test_the_border_draws_no_atom_outwards(stage: Stage) -> None:
    scene = stage.scene(4.0, side=400)
    found = refined(scene)
    shape = np.array(scene.image.shape)
    inside = ((scene.true > -0.5) & (scene.true < shape - 0.5)).all(axis=1)
    sides = np.stack([scene.true + 0.5, shape - 0.5 - scene.true])
    near = inside & (sides.min(axis=(0, 2)) * scene.pixel_size_nm < 0.2)
    fitted = near & (found.fate[: len(near)] == Fate.REFINED)
    assert fitted.sum() > 60
    error = (found.rowcol[: len(near)] - scene.true)[fitted] * scene.pixel_size_nm
    side = sides[:, fitted].transpose(1, 0, 2).reshape(-1, 4).argmin(axis=1)
    outwards = np.stack([-error, error], axis=1).reshape(-1, 4)
    assert abs(outwards[np.arange(len(side)), side].mean()) < 0.003


def test_no_brightness_is_told_that_the_frame_does_not_know(stage: Stage) -> None:
    scene = stage.scene(1.0)
    doubled = scene.sites[::9] + 3.2  # 70 pm off, where there is no atom
    found = refine(
        scene.image,
        np.concatenate([scene.sites, doubled]),
        np.concatenate([scene.species, np.zeros(len(doubled), np.uint8)]),
        np.ones(len(scene.sites) + len(doubled), np.float32),
        scene.pixel_size_nm,
    )
    known = found.amplitude[np.isfinite(found.amplitude)]
    assert len(known) > 0.5 * len(scene.sites)
    assert np.abs(known).max() < 8
