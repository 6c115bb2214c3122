import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.catalogue import (
    DEFAULT,
    MAX_FILE_BYTES,
    find_model,
    shipped_models,
    verify_model,
)
from inference.model import MOST_ROWS, load_model
from streamer.errors import ModelError

type Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped model, to be spoilt."""
    return Path(shutil.copytree(find_model(DEFAULT), tmp_path / "mine"))


def rewrite_card(folder: Path, change: Change) -> None:
    path = folder / "card.json"
    card = json.loads(path.read_text())
    change(card)
    path.write_text(json.dumps(card))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as refused:
        load_model(str(folder))
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_the_shipped_models_are_whole_and_together_small() -> None:
    folders = shipped_models()
    assert DEFAULT in folders
    for name, folder in folders.items():
        assert verify_model(folder).name == name
    files = [file for folder in folders.values() for file in folder.iterdir()]
    assert sum(file.stat().st_size for file in files) < 5e6


def test_all_shipped_models_together_are_small() -> None:
    files = [file for folder in shipped_models().values() for file in folder.iterdir()]
    assert sum(file.stat().st_size for file in files) < 5e6


def test_a_model_is_named_by_the_hash_of_its_card(folder: Path) -> None:
    model = load_model(str(folder))
    assert model.id.sha256 == sha256(folder / "card.json")
    assert model.id.name == model.card.name
    assert model.id.latents == model.card.encoder.latents
    assert model.id.latents[0] == "crystallinity"
    assert model.provider == "CPUExecutionProvider"


def test_the_networks_give_what_the_card_promises() -> None:
    model = load_model(DEFAULT, threads=1)
    carbon, silicon = model.segment(np.zeros((32, 48), np.float32))
    assert carbon.shape == silicon.shape == (32, 48)
    assert carbon.dtype == silicon.dtype == np.float32
    assert ((carbon >= 0) & (silicon >= 0) & (carbon + silicon <= 1)).all()
    features = 2 * sum(order + 1 for order in model.card.encoder.max_orders)
    described = np.random.default_rng(1).normal(size=(5, features)).astype(np.float32)
    encoded = model.encode(described)
    angle, latents = encoded.angle_rad, encoded.latents
    assert angle.shape == (5,)
    assert latents.shape == (5, len(model.id.latents))
    assert (np.abs(angle) <= model.id.angle_period_rad / 2 + 1e-6).all()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_any_number_of_atoms_can_be_encoded(count: int) -> None:
    model = load_model(DEFAULT)
    features = 2 * sum(order + 1 for order in model.card.encoder.max_orders)
    encoded = model.encode(np.full((count, features), 0.1, np.float32))
    angle, latents = encoded.angle_rad, encoded.latents
    assert angle.shape == (count,)
    assert np.isfinite(angle).all()
    assert np.isfinite(latents).all()


def test_many_atoms_are_encoded_as_each_by_itself() -> None:
    model = load_model(DEFAULT, threads=1)
    features = 2 * sum(order + 1 for order in model.card.encoder.max_orders)
    rng = np.random.default_rng(1)
    described = rng.normal(size=(2 * MOST_ROWS + 5, features)).astype(np.float32)
    encoded = model.encode(described)
    for part in (slice(0, 3), slice(MOST_ROWS - 2, MOST_ROWS + 2), slice(-4, None)):
        alone = model.encode(described[part])
        np.testing.assert_allclose(encoded.latents[part], alone.latents, atol=1e-5)
        np.testing.assert_allclose(encoded.angle_rad[part], alone.angle_rad, atol=1e-5)


@pytest.mark.parametrize("mean", [0.0, 0.3], ids=["nothing", "a round spot"])
def test_surroundings_without_direction_still_have_finite_latents(mean: float) -> None:
    model = load_model(DEFAULT)
    features = 2 * sum(order + 1 for order in model.card.encoder.max_orders)
    described = np.zeros((1, features), np.float32)
    described[0, 0] = mean
    encoded = model.encode(described)
    angle, latents = encoded.angle_rad, encoded.latents
    assert np.isfinite(angle).all()
    assert np.isfinite(latents).all()


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    with pytest.raises(ModelError) as refused:
        load_model("graphite")
    assert str(refused.value) == (
        "no model 'graphite': neither a folder nor one that is shipped "
        f"({', '.join(shipped_models())})"
    )


@pytest.mark.parametrize("name", ["", "../graphene-si", "a\0b", "x" * 5000, "~"])
def test_odd_names_are_refused(name: str) -> None:
    with pytest.raises(ModelError):
        load_model(name)


def test_a_folder_without_a_card_is_no_model(tmp_path: Path) -> None:
    assert refusal(tmp_path).startswith(f"{tmp_path} is not a model: card.json")


def test_a_file_is_no_model_folder(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"")
    assert refusal(file).startswith(f"no model '{file}': neither a folder nor")


@pytest.mark.parametrize("file", ["dcnn.onnx", "encoder.onnx"])
def test_a_file_of_another_hash_is_refused_by_name(folder: Path, file: str) -> None:
    path = folder / file
    expected = sha256(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    message = (
        f"{path} is not the file its card describes: SHA-256 {sha256(path)[:12]}…, "
        f"expected {expected[:12]}…; restore the file or the card"
    )
    assert refusal(folder) == message
    with pytest.raises(ModelError) as refused:
        verify_model(folder)
    assert str(refused.value) == message


@pytest.mark.parametrize("file", ["dcnn.onnx", "encoder.onnx"])
def test_a_missing_file_is_refused_by_name(folder: Path, file: str) -> None:
    (folder / file).unlink()
    expected = f"{folder / file} cannot be read: No such file or directory"
    assert refusal(folder) == expected


def test_a_truncated_file_is_refused(folder: Path) -> None:
    path = folder / "dcnn.onnx"
    path.write_bytes(path.read_bytes()[:1000])
    assert "is not the file its card describes" in refusal(folder)


def test_a_folder_in_a_files_place_is_refused(folder: Path) -> None:
    (folder / "dcnn.onnx").unlink()
    (folder / "dcnn.onnx").mkdir()
    assert "dcnn.onnx cannot be read" in refusal(folder)


def test_a_file_larger_than_any_model_is_not_read(folder: Path) -> None:
    with (folder / "dcnn.onnx").open("r+b") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    expected = f"{folder / 'dcnn.onnx'} is larger than any model should be"
    assert refusal(folder) == expected


@pytest.mark.parametrize(
    "content",
    [b"", b"not a network", b"\x08\x07" * 500, bytes(1000)],
    ids=["empty", "text", "half a network", "zeros"],
)
def test_a_file_that_is_no_network_is_refused(folder: Path, content: bytes) -> None:
    (folder / "dcnn.onnx").write_bytes(content)
    digest = sha256(folder / "dcnn.onnx")
    rewrite_card(folder, lambda card: card["dcnn"].update(sha256=digest))
    assert refusal(folder).startswith(f"{folder / 'dcnn.onnx'} is not a network: ")


def test_a_network_cut_short_is_refused_though_its_hash_is_right(folder: Path) -> None:
    path = folder / "dcnn.onnx"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    digest = sha256(path)
    rewrite_card(folder, lambda card: card["dcnn"].update(sha256=digest))
    assert refusal(folder).startswith(f"{path} is not a network: ")


def test_networks_in_each_others_place_are_refused(folder: Path) -> None:
    def swap(card: dict[str, Any]) -> None:
        dcnn, encoder = card["dcnn"], card["encoder"]
        for key in ("file", "sha256"):
            dcnn[key], encoder[key] = encoder[key], dcnn[key]

    rewrite_card(folder, swap)
    assert refusal(folder) == (
        "encoder.onnx takes ('harmonics',) and gives ('angle', 'latents', 'sigma'); "
        "expected ('image',) and ('carbon', 'silicon')"
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda card: card["encoder"]["latents"].append("z9"), "[4] of [174]"),
        (
            lambda card: card["encoder"].update(
                latents=["crystallinity"], decoder=None
            ),
            "[1] of [174]",
        ),
        (
            lambda card: card["encoder"]["max_orders"].__setitem__(0, 3),
            "[3] of [180]",
        ),
    ],
    ids=["a latent too many", "a latent too few", "other rings"],
)
def test_an_encoder_that_does_not_fit_its_card_is_refused(
    folder: Path, change: Change, complaint: str
) -> None:
    rewrite_card(folder, change)
    assert refusal(folder) == (
        "encoder.onnx makes [3] latents of [174] numbers; "
        f"its card describes {complaint}"
    )
