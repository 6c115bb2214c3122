"""The pixel size of multislice frames, told by nothing but their lattice."""

from pathlib import Path

import numpy as np
import pytest

from inference.catalogue import DEFAULT
from inference.model import load_model
from inference.pixel_size import estimate_pixel_size
from streamer.simulator.microscope import Microscope
from tests.accuracy.test_multislice import FOLDER, fraction_at, load

UNRESOLVED = ("defocused", "holes-blurred")
"""Where it may not be told, but not told wrongly either."""


@pytest.mark.slow
@pytest.mark.parametrize("pixel_size_nm", [1 / 64, 0.02])
@pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("*.npz")), ids=lambda path: path.stem
)
def test_frames_of_2_nm_tell_their_pixel_size(path: Path, pixel_size_nm: float) -> None:
    model = load_model(DEFAULT, threads=1)
    electrons = Microscope().dose_e_nm2 * pixel_size_nm**2
    counts = electrons * fraction_at(load(path), pixel_size_nm)
    image = np.random.default_rng(1).poisson(counts).astype(np.float32)
    found = estimate_pixel_size(image, model.card.dcnn, model.segment)
    if found is None:
        assert path.stem in UNRESOLVED
        return
    # One of them is strained by more than a hundredth.
    assert found == pytest.approx(pixel_size_nm, rel=0.02)
