"""What stands behind atoms in latent space is what the decoder draws there."""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from atomstream.manifold import MOST_TILE_PX, STEPS, manifold_drawer, picture
from atomstream.service.kept_models import kept_models
from atomstream.service.model_in_use import remember
from dashboard.manifold import Manifold
from inference.card import card_text
from inference.catalogue import shipped_models
from inference.decode import load_decoder
from inference.model_files import read_model
from streamer.analysis import ModelId
from streamer.errors import ModelError


def model_in(folder: Path) -> ModelId:
    """How analyses name the model in a folder."""
    sha256 = hashlib.sha256(card_text(folder)).hexdigest()
    return ModelId("some name", sha256, ("crystallinity", "z1", "z2"), 2.0)


def drawn(folder: Path, *others: Path) -> Manifold:
    return manifold_drawer(lambda: others)(model_in(folder))


@pytest.fixture
def own_model(tmp_path: Path) -> Path:
    """A model like the shipped one, by another hash."""
    folder = tmp_path / "own"
    shutil.copytree(shipped_models()["graphene-si"], folder)
    card = json.loads((folder / "card.json").read_text())
    card["notes"] = ["My own."]
    (folder / "card.json").write_text(json.dumps(card))
    return folder


@pytest.mark.parametrize("name", ["graphene-si", "graphene-si-paper"])
@pytest.mark.parametrize(("col", "row"), [(0, 0), (10, 0), (3, 8), (5, 5), (10, 10)])
def test_the_image_at_two_latents_is_what_the_decoder_draws_for_them(
    name: str, col: int, row: int
) -> None:
    manifold, decoder = drawn(shipped_models()[name]), load_decoder(name)
    assert manifold.latents == decoder.card.latents
    side = decoder.card.side_px
    assert manifold.image.shape == (STEPS * side, STEPS * side)
    a, b = (
        low + (k + 0.5) * (high - low) / STEPS
        for k, (low, high) in ((col, manifold.x), (row, manifold.y))
    )
    expected = decoder.draw(np.array([[a, b]], np.float32))[0]
    tile = manifold.image[row * side : (row + 1) * side, col * side : (col + 1) * side]
    # The picture's rows grow upwards, the decoder's downwards; the scale is common.
    assert np.corrcoef(tile[::-1].ravel(), expected.ravel())[0, 1] > 0.9999


def test_the_middles_of_the_outermost_images_are_the_ends_of_the_cards_range() -> None:
    manifold = drawn(shipped_models()["graphene-si-paper"])
    ranges = load_decoder("graphene-si-paper").card.ranges
    for (low, high), wanted in zip((manifold.x, manifold.y), ranges, strict=True):
        half = (high - low) / STEPS / 2
        assert (low + half, high - half) == pytest.approx(wanted)


def test_large_images_are_averaged_down() -> None:
    tiles = np.zeros((2, 3, 200, 200), np.float32)
    tiles[1, 2] = 1
    image = picture(tiles)
    assert image.shape == (2 * MOST_TILE_PX, 3 * MOST_TILE_PX)
    assert image[MOST_TILE_PX:, 2 * MOST_TILE_PX :].min() == 255
    assert image.sum() == 255 * MOST_TILE_PX**2


def test_a_model_is_found_by_its_hash_and_not_by_its_name(own_model: Path) -> None:
    with pytest.raises(ModelError, match="the files of some name are not at hand"):
        drawn(own_model)
    assert drawn(own_model, own_model.parent, own_model).latents == ("z1", "z2")


def test_a_session_keeps_the_decoder_of_its_model(
    own_model: Path, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    (session / "models").mkdir(parents=True)
    remember(session, "run", str(own_model), read_model(own_model))
    model = model_in(own_model)
    shutil.rmtree(own_model)
    draw = manifold_drawer(lambda: kept_models(session))
    assert draw(model).latents == ("z1", "z2")


def test_a_damaged_decoder_keeps_no_model_from_being_used(
    own_model: Path, tmp_path: Path
) -> None:
    (own_model / "decoder.onnx").write_bytes(b"damaged")
    session = tmp_path / "session"
    (session / "models").mkdir(parents=True)
    remember(session, "run", str(own_model), read_model(own_model))
    (kept,) = kept_models(session)
    assert not (kept / "decoder.onnx").exists()
    with pytest.raises(ModelError, match=r"decoder\.onnx cannot be read"):
        drawn(own_model, *kept_models(session))


def test_models_of_a_session_that_are_links_are_not_looked_into(
    own_model: Path, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    (session / "models").mkdir(parents=True)
    (session / "models" / "elsewhere").symlink_to(own_model)
    assert kept_models(session) == []


def test_a_model_without_a_decoder_says_so(own_model: Path) -> None:
    card = json.loads((own_model / "card.json").read_text())
    card["encoder"]["decoder"] = None
    (own_model / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="has no decoder"):
        drawn(own_model, own_model)


def test_without_a_runtime_for_models_there_is_a_reason_and_no_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "inference.decode", None)
    with pytest.raises(ModelError, match="decoders cannot be run here"):
        drawn(shipped_models()["graphene-si"])
