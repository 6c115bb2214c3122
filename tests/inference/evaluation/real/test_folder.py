import json
from pathlib import Path

import numpy as np
import pytest

from inference.evaluation.real.folder import sheets_in
from streamer.errors import StackError


def write(folder: Path, manifest: object, image: bool = True) -> Path:
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "series").mkdir()
    if image:
        np.save(folder / "series" / "a.npy", np.ones((2, 30, 40)))
    return folder


def test_the_scale_from_the_lattice_is_preferred_and_labels_are_read(
    tmp_path: Path,
) -> None:
    entry = {"file": "series/a.npy", "nm_per_px": 0.02, "nm_per_px_from_lattice": 0.03}
    folder = write(tmp_path, [entry, {"file": "mos2/b.npy"}])
    label = {"defects": [[[5.0, 7.0, "Si"], [1.0, 2.0, "C"]]]}
    (folder / "series" / "a.json").write_text(json.dumps([label, {"defects": []}]))
    (recording,) = sheets_in(folder)
    assert recording.pixel_size_nm == 0.03
    assert recording.images.shape == (2, 30, 40)
    np.testing.assert_array_equal(recording.labels[0].silicon, [[7.0, 5.0]])
    np.testing.assert_array_equal(recording.labels[0].carbon, [[2.0, 1.0]])
    assert recording.labels[1].silicon.shape == (0, 2)


@pytest.mark.parametrize(
    ("manifest", "image", "says"),
    [
        ({"not": "a list"}, True, "manifest.json cannot be read"),
        ([{"file": "mos2/a.npy", "nm_per_px": 0.02}], True, "lists no .npy"),
        ([{"file": "series/a.npy"}], True, "no nm_per_px"),
        ([{"file": "series/a.npy", "nm_per_px": 0.02}], False, "cannot be read"),
    ],
)
def test_a_folder_that_holds_no_real_frames_is_refused(
    tmp_path: Path, manifest: object, image: bool, says: str
) -> None:
    with pytest.raises(StackError, match=says):
        sheets_in(write(tmp_path, manifest, image))


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="holds no real frames"):
        sheets_in(tmp_path)
