"""What AtomAI saved says here what it said there."""

import math
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

torch = pytest.importorskip("torch")

from inference.normalise import min_max
from inference.training.atomai.networks import (
    SavedUnet,
    SavedVae,
    read_network,
)
from inference.training.atomai.unet import ServedUnet
from inference.training.atomai.vae import (
    ANGLE_PERIOD_RAD,
    ServedDecoder,
    ServedEncoder,
)
from streamer.errors import ModelError

SAVED = Path(__file__).parent / "saved"
TURN_RAD = 0.4
TOLERANCE = 1e-5


def tensor(array: NDArray[np.float32]) -> object:
    return torch.from_numpy(array)


@pytest.mark.parametrize(
    ("file", "answers"),
    [
        ("unet.tar", "unet"),
        ("unet-weights.pt", "unet"),
        ("unet-legacy.pt", "unet"),
        ("unet-one-class.tar", "unet-one-class"),
        ("unet-dilated.tar", "unet-dilated"),
        ("unet-dilated-once.tar", "unet-dilated-once"),
    ],
)
def test_a_unet_gives_what_atomai_predicts(file: str, answers: str) -> None:
    saved = read_network(SAVED / file)
    assert isinstance(saved, SavedUnet)
    told = np.load(SAVED / f"{answers}.npz")
    image = min_max(told["image"])[None, None]
    with torch.no_grad():
        carbon, silicon = ServedUnet(saved)(tensor(image))
    expected = told["probability"]
    second = expected[..., 1] if saved.classes == 3 else np.zeros(image.shape[2:])
    assert np.abs(carbon[0].numpy() - expected[..., 0]).max() <= TOLERANCE
    assert np.abs(silicon[0].numpy() - second).max() <= TOLERANCE
    assert np.ptp(expected[..., 0]) > 1000 * TOLERANCE


def test_a_single_dilated_layer_needs_a_word_on_dropout(tmp_path: Path) -> None:
    """Dropout does nothing but counts in the sum; no place of a weight tells of it."""
    saved = torch.load(SAVED / "unet-dilated-once.tar", weights_only=True)
    path = tmp_path / "weights.pt"
    torch.save(saved["weights"], path)
    network = read_network(path)
    assert isinstance(network, SavedUnet)
    with pytest.raises(ModelError, match="do not tell whether it has dropout"):
        ServedUnet(network)


@pytest.mark.parametrize("name", ["rvae", "rvae-weights", "rvae-skip", "vae"])
def test_an_encoder_gives_what_atomai_encodes_and_draws(name: str) -> None:
    saved = read_network(SAVED / f"{name}.tar")
    assert isinstance(saved, SavedVae)
    told = np.load(SAVED / f"{name.removesuffix('-weights')}.npz")
    with torch.no_grad():
        outputs = ServedEncoder(saved, -2)(tensor(told["windows"]))
        images = ServedDecoder(saved)(tensor(told["content"])).numpy()
    angle, latents, sigma = (output.numpy() for output in outputs)
    first, sd = saved.coordinates, np.exp(told["log_sd"])
    content = told["mean"][:, first:]
    expected = np.concatenate([-content[:, 1:2], content], axis=1)
    deviations = np.concatenate([sd[:, first + 1 : first + 2], sd[:, first:]], axis=1)
    assert np.abs(latents - expected).max() <= TOLERANCE
    assert np.abs(sigma[:, 1:] - deviations).max() <= TOLERANCE
    assert np.abs(images - told["decoded"]).max() <= TOLERANCE
    if first:
        turn = (angle - told["mean"][:, 0]) / ANGLE_PERIOD_RAD
        assert np.abs(turn - np.rint(turn)).max() <= TOLERANCE
        assert np.abs(sigma[:, 0] - sd[:, 0]).max() <= TOLERANCE
    else:
        assert np.isnan(angle).all()


def test_a_larger_angle_of_atomai_is_a_turn_counter_clockwise() -> None:
    told = np.load(SAVED / "rvae.npz")
    middle = (slice(None), slice(6, 18), slice(6, 18))
    # With rows downward, ndimage turns counter-clockwise on the screen.
    spot = np.zeros((9, 9))
    spot[4, 8] = 1
    assert ndimage.rotate(spot, 90, reshape=False)[0, 4] == pytest.approx(1)
    degrees = math.degrees(TURN_RAD)
    off = {
        sign: np.abs(
            ndimage.rotate(told["decoded"], sign * degrees, (1, 2), reshape=False)
            - told["turned"]
        )[middle].max()
        for sign in (1, -1)
    }
    assert off[1] < 0.1 * off[-1]


@pytest.mark.parametrize(
    ("file", "found"),
    [("dilnet.tar", "'dilnet'"), ("rvae-convolutional.tar", "convolutional encoder")],
)
def test_another_architecture_is_refused_by_name(file: str, found: str) -> None:
    with pytest.raises(ModelError, match=r"supported are AtomAI's Unet") as refused:
        read_network(SAVED / file)
    assert found in str(refused.value)


class Malice:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("legacy", [False, True])
def test_nothing_in_a_file_is_run(tmp_path: Path, legacy: bool) -> None:
    trace, path = tmp_path / "trace", tmp_path / "weights.pt"
    weights = torch.load(SAVED / "unet-weights.pt", weights_only=True)
    told = {"model_type": "seg", "model": "Unet", "weights": weights}
    torch.save(told | {"optimizer": Malice(trace)}, path,
               _use_new_zipfile_serialization=not legacy)  # fmt: skip
    assert isinstance(read_network(path), SavedUnet)
    path.write_bytes(pickle.dumps(Malice(trace)))
    with pytest.raises(ModelError):
        read_network(path)
    assert not trace.exists()


@pytest.mark.parametrize("file", ["unet-legacy.pt", "rvae.tar"])
def test_a_damaged_file_is_refused_and_nothing_worse(tmp_path: Path, file: str) -> None:
    random, whole = np.random.default_rng(1), (SAVED / file).read_bytes()
    path = tmp_path / file
    for _ in range(150):
        content = bytearray(whole)
        for place in random.integers(0, min(len(content), 9000), 3):
            content[place] = random.integers(256)
        path.write_bytes(content[: random.integers(1, len(content) + 1)])
        try:
            read_network(path)
        except ModelError as error:
            assert "\n" not in str(error)  # noqa: PT017  (reading well is right too)
