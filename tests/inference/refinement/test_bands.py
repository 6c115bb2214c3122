"""A large frame is fitted in bands, and no atom can tell."""

import numpy as np
import pytest
from scipy.spatial import KDTree

from inference.refinement.bands import bands_of, refine_in_bands
from inference.refinement.refine import Detections, Fate, Refined
from tests.inference.refinement.test_refine import Stage


@pytest.mark.parametrize("rows", [10, 64, 1000, 4096])
@pytest.mark.parametrize("most_px", [640, 64_000, 2**22])
def test_each_row_is_kept_by_one_band_which_also_sees_beyond_it(
    rows: int, most_px: int
) -> None:
    bands = list(bands_of((rows, 64), 0.02, most_px))
    row = np.arange(-0.5, rows, 0.25)
    held = np.array([band.holds(row) for band in bands])
    np.testing.assert_array_equal(held.sum(axis=0), 1)
    for band in bands:
        inside = (row >= 0) & (row < rows - 0.5)
        assert band.sees(row)[band.holds(row) & inside].all()
        assert 0 <= band.fitted.start < band.fitted.stop <= rows


def test_atoms_at_a_seam_are_those_of_the_whole_frame(stage: Stage) -> None:
    scene = stage.scene(1.0, side=512)
    missing = np.arange(len(scene.sites)) % 97 == 0
    given = Detections(
        scene.sites[~missing], scene.species[~missing], scene.score[~missing]
    )
    whole = refine_in_bands(scene.image, given, scene.pixel_size_nm)
    in_bands = refine_in_bands(
        scene.image, given, scene.pixel_size_nm, scene.image.size // 3
    )
    # Of those that the network has missed one or another is just seen, or just not.
    count = len(given.score)
    assert len(whole) - count >= 5
    assert abs(len(in_bands) - len(whole)) <= 2
    assert twice(in_bands, scene.pixel_size_nm) == twice(whole, scene.pixel_size_nm)
    fate = np.stack([in_bands.fate[:count], whole.fate[:count]])
    assert np.mean(fate[0] == fate[1]) > 0.998
    both = (fate == Fate.REFINED).all(axis=0)
    sigma = whole.sigma[:count][both]
    off = np.abs(in_bands.rowcol[:count] - whole.rowcol[:count])[both] / sigma
    assert np.median(off) < 0.02
    assert np.mean(off < 0.3) > 0.99
    # Each band measures its own noise and probe.
    ratio = in_bands.sigma[:count][both] / sigma
    assert np.quantile(np.abs(ratio - 1), 0.95) < 0.1


def twice(found: Refined, pixel_size_nm: float) -> int:
    """Atoms that there are two of."""
    return len(KDTree(found.rowcol * pixel_size_nm).query_pairs(0.05))


def test_bands_that_do_not_overlap_would_be_seen(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = stage.scene(1.0)
    given = Detections(scene.sites, scene.species, scene.score)
    monkeypatch.setattr("inference.refinement.bands.OVERLAP_NM", 0.0)
    in_bands = refine_in_bands(
        scene.image, given, scene.pixel_size_nm, scene.image.size // 3
    )
    whole = refine_in_bands(scene.image, given, scene.pixel_size_nm)
    assert (in_bands.fate != whole.fate).sum() > 20
