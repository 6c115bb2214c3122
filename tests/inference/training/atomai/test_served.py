"""What an imported model gives when it serves is what AtomAI gave."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.decode import load_decoder
from inference.model import load_model
from inference.normalise import min_max
from streamer.errors import ModelError

pytestmark = pytest.mark.timeout(600)  # torch takes its time to export a network

type Imported = Callable[..., Path]

TOLERANCE = 1e-5
RVAE = {"unet.tar": "rvae.tar"}
"""A Unet and an rVAE that become one model."""


@pytest.mark.parametrize("name", ["unet", "unet-one-class", "unet-dilated"])
def test_a_unet_serves_what_atomai_predicts(
    imported: Imported, saved_by_atomai: Path, name: str
) -> None:
    file = f"{name}.tar"
    model = load_model(str(imported(file, RVAE.get(file))))
    told = np.load(saved_by_atomai / f"{name}.npz")
    carbon, silicon = model.segment(min_max(told["image"]))
    expected = told["probability"]
    np.testing.assert_allclose(carbon, expected[..., 0], rtol=0, atol=TOLERANCE)
    second = expected[..., 1] if expected.shape[2] == 3 else np.zeros(silicon.shape)
    np.testing.assert_allclose(silicon, second, rtol=0, atol=TOLERANCE)
    assert np.ptp(expected[..., 0]) > 1000 * TOLERANCE


@pytest.mark.parametrize("name", ["unet", "unet-one-class", "unet-dilated"])
def test_a_unet_looks_no_farther_than_its_card_says(
    imported: Imported, name: str
) -> None:
    file = f"{name}.tar"
    model = load_model(str(imported(file, RVAE.get(file))))
    rng = np.random.default_rng(1)
    image = rng.uniform(0, 1, (512, 64)).astype(np.float32)
    changed = image.copy()
    changed[:248] = rng.uniform(0, 1, (248, 64))
    maps, others = model.segment(image), model.segment(changed)
    differs = (maps[0] != others[0]) | (maps[1] != others[1])
    reach = int(np.flatnonzero(differs.any(axis=1)).max()) - 248 + 1
    assert 0 < reach <= model.card.dcnn.reach_px


@pytest.mark.parametrize(
    ("name", "coordinates", "files"),
    [
        ("rvae", 3, ("unet.tar", "rvae.tar")),
        ("rvae-skip", 1, ("rvae-skip.tar",)),
        ("vae", 0, ("vae.tar",)),
    ],
)
def test_an_encoder_serves_what_atomai_encodes(
    imported: Imported,
    saved_by_atomai: Path,
    name: str,
    coordinates: int,
    files: tuple[str, ...],
) -> None:
    model = load_model(str(imported(*files)))
    told = np.load(saved_by_atomai / f"{name}.npz")
    encoded = model.encode(told["windows"])
    content, sd = told["mean"][:, coordinates:], np.exp(told["log_sd"])
    period_rad = model.card.encoder.angle_period_rad
    expected = np.column_stack([-content[:, 1], content])  # imported with -z2
    np.testing.assert_allclose(encoded.latents, expected, rtol=0, atol=TOLERANCE)
    assert encoded.sigma is not None
    deviations = np.column_stack([sd[:, coordinates + 1], sd[:, coordinates:]])
    np.testing.assert_allclose(encoded.sigma[:, 1:], deviations, rtol=0, atol=TOLERANCE)
    if coordinates == 0:
        assert np.isnan(encoded.angle_rad).all()
        assert np.isnan(encoded.sigma[:, 0]).all()
        return
    off = encoded.angle_rad - told["mean"][:, 0]
    off -= period_rad * np.rint(off / period_rad)
    np.testing.assert_allclose(off, 0, atol=TOLERANCE)
    np.testing.assert_allclose(encoded.sigma[:, 0], sd[:, 0], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("rvae", ("unet.tar", "rvae.tar")),
        ("rvae-skip", ("rvae-skip.tar",)),
        ("vae", ("vae.tar",)),
    ],
)
def test_a_decoder_serves_what_atomai_decodes(
    imported: Imported, saved_by_atomai: Path, name: str, files: tuple[str, ...]
) -> None:
    decoder = load_decoder(str(imported(*files)))
    told = np.load(saved_by_atomai / f"{name}.npz")
    drawn = decoder.draw(told["content"])
    np.testing.assert_allclose(drawn, told["decoded"], rtol=0, atol=TOLERANCE)
    assert np.ptp(told["decoded"]) > 1000 * TOLERANCE


def test_a_decoder_that_takes_other_latents_than_its_card_says_is_refused(
    tmp_path: Path, imported: Imported
) -> None:
    folder = Path(shutil.copytree(imported("vae.tar"), tmp_path / "mine"))
    card = json.loads((folder / "card.json").read_text())
    card["encoder"]["decoder"]["latents"].pop()
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=r"decoder\.onnx takes .* its card describes"):
        load_decoder(str(folder))
