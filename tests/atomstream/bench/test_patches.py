"""What the peer learns from shows the atoms where they are."""

from itertools import islice

import numpy as np

from atomstream.bench.peer.patches import BACKGROUND, DISC_PX, label, tiles
from streamer.simulator.microscope import scaled_microscope
from streamer.simulator.movie import Movie, simulate


def test_a_disc_lies_on_every_atom_and_nothing_elsewhere() -> None:
    microscope = scaled_microscope(192, 3.0, dose=1.0)
    movie = Movie(frames=1, microscope=microscope, blob_radius_nm=0.3)
    exposure = next(islice(simulate(movie, seed=4), 1))
    labels, truth = label(exposure), exposure.truth
    row, col = np.rint(truth.row_px).astype(int), np.rint(truth.col_px).astype(int)
    inside = (row >= 0) & (row < 192) & (col >= 0) & (col < 192)
    np.testing.assert_array_equal(
        labels[row[inside], col[inside]], truth.species[inside]
    )
    # 29 pixels are within 3 of another
    disc = sum(
        dy**2 + dx**2 <= DISC_PX**2
        for dy in range(-DISC_PX, DISC_PX + 1)
        for dx in range(-DISC_PX, DISC_PX + 1)
    )
    covered = int((labels != BACKGROUND).sum())
    assert 0.9 * disc * len(truth) < covered <= disc * len(truth)


def test_tiles_cover_an_image_without_overlap() -> None:
    image = np.arange(64).reshape(8, 8)
    parts = list(tiles(image, side=4))
    assert len(parts) == 4
    assert sorted(np.concatenate(parts, axis=None)) == list(range(64))
