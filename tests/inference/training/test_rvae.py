"""The encoder in the canonical frame, its decoder, and how sure it says it is."""

import math
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="needs the extra [train]")

from inference.harmonics import Rings, turned
from inference.training.export import export_decoder, export_encoder
from inference.training.fit_rvae import doubt
from inference.training.rvae import (
    Decoder,
    Drawn,
    Encoder,
    Served,
    order_sd,
    random_waves,
)

RINGS = Rings((0.06, 0.142, 0.246), 0.03, (2, 5, 9), 0.04)
COUNT = len(RINGS.features)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(1)
    return Encoder(RINGS).eval()


def subimages(count: int = 20) -> NDArray[np.complex64]:
    rng = np.random.default_rng(2)
    parts = rng.normal(size=(2, count, COUNT))
    return (parts[0] + 1j * parts[1]).astype(np.complex64)


def encoded(
    encoder: Encoder, coefficients: NDArray[np.complex64]
) -> tuple[NDArray[np.float32], ...]:
    with torch.no_grad():
        rows = torch.from_numpy(coefficients.view(np.float32))
        return tuple(part.numpy() for part in Served(encoder)(rows))


@pytest.mark.parametrize("angle_rad", [0.1, -1.0, 2.5])
def test_turning_a_subimage_turns_its_angle_and_nothing_else(
    encoder: Encoder, angle_rad: float
) -> None:
    before = encoded(encoder, subimages())
    by = np.full(20, angle_rad, np.float32)
    after = encoded(encoder, turned(subimages(), by, RINGS))
    period = 2 * math.pi / 3
    off = after[0] - before[0] - angle_rad
    np.testing.assert_allclose(off - period * np.round(off / period), 0, atol=1e-4)
    np.testing.assert_allclose(after[1], before[1], atol=1e-4)
    np.testing.assert_allclose(after[2], before[2], rtol=1e-3)


def test_each_number_comes_with_a_standard_deviation(encoder: Encoder) -> None:
    angle, latents, sigma = encoded(encoder, subimages())
    assert sigma.shape == (20, 1 + latents.shape[1])
    assert (sigma > 0).all()
    assert len(angle) == 20


def test_the_doubt_of_the_order_is_that_of_a_squared_disorder(encoder: Encoder) -> None:
    with torch.no_grad():
        posterior = encoder(
            torch.from_numpy(subimages().view(np.float32)).unflatten(1, (-1, 2))
        )
        expected = order_sd(posterior).numpy()
    rng = np.random.default_rng(3)
    sd = np.exp(posterior.disorder_log_sd.numpy())
    drawn = posterior.disorder.numpy() + sd * rng.normal(size=(200_000, 20))
    np.testing.assert_allclose((1 - drawn**2).std(axis=0), expected, rtol=0.02)


def test_the_best_doubt_is_the_size_of_the_errors() -> None:
    off = torch.from_numpy(np.random.default_rng(4).normal(0, 0.03, 20_000))
    losses = {
        sd: float(doubt(off, torch.full_like(off, math.log(sd))))
        for sd in (0.01, 0.02, 0.03, 0.04, 0.09)
    }
    assert min(losses, key=losses.__getitem__) == 0.03


def test_doubt_teaches_nothing_but_itself() -> None:
    off = torch.ones(3, requires_grad=True)
    log_sd = torch.zeros(3, requires_grad=True)
    doubt(off, log_sd).backward()
    assert off.grad is None
    assert log_sd.grad is not None


def test_images_are_drawn_with_x_to_the_right_and_y_up() -> None:
    drawn = Drawn(Decoder(), RINGS)
    place = drawn.place.reshape(drawn.side_px, drawn.side_px, 2).numpy()
    middle = drawn.side_px // 2
    np.testing.assert_allclose(place[middle, middle], 0)
    assert place[0, middle, 1] > 0
    assert place[middle, -1, 0] > 0
    assert np.hypot(*place[middle, -1]) >= 2.0


def test_nothing_is_drawn_beyond_the_outermost_ring() -> None:
    with torch.no_grad():
        image = Drawn(Decoder(), RINGS)(torch.zeros(1, 2))[0].numpy()
    assert (image[[0, 0, -1, -1], [0, -1, 0, -1]] == 0).all()
    assert image.any()


@pytest.mark.filterwarnings("default")  # torch's exporter warns of its own parts
def test_what_is_exported_gives_the_same_numbers(
    encoder: Encoder, tmp_path: Path
) -> None:
    decoder = Decoder(2, random_waves()).eval()
    export_encoder(encoder, tmp_path)
    card = export_decoder(decoder, RINGS, tmp_path)
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx")
    rows = subimages(3).view(np.float32)
    found = session.run(None, {"harmonics": rows})
    for part, expected in zip(found, encoded(encoder, subimages(3)), strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-5)
    content = np.random.default_rng(5).normal(size=(4, 2)).astype(np.float32)
    session = onnxruntime.InferenceSession(tmp_path / card.file)
    images = session.run(None, {"content": content})[0]
    with torch.no_grad():
        expected_images = Drawn(decoder, RINGS)(torch.from_numpy(content)).numpy()
    assert images.shape == (4, card.side_px, card.side_px)
    np.testing.assert_allclose(images, expected_images, atol=1e-5)
