import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import onnxruntime

from inference.order_parameters import orientation_deg
from inference.paper_methods.reading import PERIOD_RAD, errors_deg
from inference.training.export import DECODER_FILE, ENCODER_FILE
from inference.training.export_paper_rvae import export_paper_rvae
from inference.training.paper_readout import (
    Readout,
    ServedDecoder,
    ServedWindowEncoder,
    find_readout,
)
from inference.training.paper_rvae import PaperRvae

READOUT = Readout(0.4, crystallinity=1, origin=2.0, scale=-4.0, spearman=0.9)
SIDE = 8


def raw_latents(
    angle: np.ndarray, order: np.ndarray, column: int, sense: float
) -> np.ndarray:
    rng = np.random.default_rng(3)
    raw = rng.normal(size=(len(angle), 5)).astype(np.float32)
    raw[:, 0] = angle
    raw[:, 3 + column] = sense * order
    return raw


@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("sense", [3.0, -0.2])
def test_the_latent_that_orders_best_is_found_and_turned_the_right_way(
    column: int, sense: float
) -> None:
    rng = np.random.default_rng(1)
    order = rng.random(2000, np.float32)
    angle = rng.uniform(-1, 1, 2000).astype(np.float32)
    raw = raw_latents(angle, order, column, sense)
    readout = find_readout(raw, angle, order)
    assert readout.crystallinity == column
    assert readout.spearman == pytest.approx(1)
    told = (raw[:, 3 + column] - readout.origin) / readout.scale
    # Percentiles 1 and 99 of 0..1 become 0 and 1.
    np.testing.assert_allclose(told, (order - 0.01) / 0.98, atol=0.02)


@pytest.mark.parametrize("offset", [0.0, 0.7, -1.0, 4.0])
def test_the_angle_is_read_modulo_a_third_of_a_turn(offset: float) -> None:
    rng = np.random.default_rng(1)
    true = rng.uniform(-1, 1, 500).astype(np.float32)
    order = np.linspace(0, 1, 500, dtype=np.float32)
    turns = rng.integers(-2, 3, 500) * PERIOD_RAD
    told = (true - offset + turns).astype(np.float32)
    told[order < 0.9] = 9  # what is not ordered must not count
    readout = find_readout(raw_latents(told, order, 0, 1.0), true, order)
    ordered = order > 0.9
    found = readout.angle_rad(told[ordered])
    np.testing.assert_allclose(found, true[ordered], atol=1e-5)


def test_the_angle_is_read_though_no_atom_seems_to_be_of_the_bulk() -> None:
    rng = np.random.default_rng(1)
    true = rng.uniform(-1, 1, 500).astype(np.float32)
    order = np.linspace(0, 0.8, 500, dtype=np.float32)
    readout = find_readout(raw_latents(true - 0.5, order, 0, 1.0), true, order)
    np.testing.assert_allclose(readout.angle_rad(true - 0.5), true, atol=1e-5)


def test_the_exported_networks_say_what_the_trained_ones_do(tmp_path: Path) -> None:
    torch.manual_seed(1)
    rvae = PaperRvae(SIDE, contrast=2.5)
    export_paper_rvae(rvae, READOUT, 1.0, tmp_path)
    windows = torch.rand(3, SIDE, SIDE)
    with torch.no_grad():
        mean, log_sd = rvae.encoder(windows)
    session = onnxruntime.InferenceSession(tmp_path / ENCODER_FILE)
    angle, latents, sigma = session.run(None, {"windows": windows.numpy()})
    expected = READOUT.angle_rad(mean[:, 0].numpy())
    np.testing.assert_allclose(angle, expected, atol=1e-5)
    dx, dy, z1, z2 = mean[:, 1:].numpy().T
    crystallinity = (z2 - 2.0) / -4.0
    np.testing.assert_allclose(
        latents, np.stack([crystallinity, z1, dx, dy], axis=1), atol=1e-5
    )
    sd_angle, sd_dx, sd_dy, sd_z1, sd_z2 = torch.exp(log_sd).numpy().T
    np.testing.assert_allclose(
        sigma, np.stack([sd_angle, sd_z2 / 4, sd_z1, sd_dx, sd_dy], axis=1), atol=1e-5
    )
    content = torch.rand(4, 2)
    session = onnxruntime.InferenceSession(tmp_path / DECODER_FILE)
    (images,) = session.run(None, {"content": content.numpy()})
    with torch.no_grad():
        expected = ServedDecoder(rvae, READOUT, 1.0)(content).numpy()
    np.testing.assert_allclose(images, expected, atol=1e-5)
    assert images.shape == (4, SIDE, SIDE)


@pytest.mark.parametrize("usual", [0.0, 3.0, -7.0])
def test_the_decoder_draws_what_the_encoder_tells_at_angle_nought(usual: float) -> None:
    torch.manual_seed(2)
    rvae = PaperRvae(SIDE, contrast=4.0)
    served = ServedDecoder(rvae, READOUT, usual)
    raw = float(served.pose[0, 0])
    assert READOUT.angle_rad(np.float32([raw])) == pytest.approx(0, abs=1e-5)
    assert abs(raw - usual) <= PERIOD_RAD / 2 + 1e-6
    with torch.no_grad():
        # Crystallinity 0.5 is z2 = 0, and z2 of the card is z1 of the network.
        found = served(torch.tensor([[0.5, 1.5]]))
        expected = rvae.draw(torch.tensor([[raw, 0, 0, 1.5, 0]]), rvae.grid)
    torch.testing.assert_close(4 * found.flatten(), expected.flatten())


def test_angles_that_are_told_lie_within_half_a_period() -> None:
    torch.manual_seed(1)
    encoder = PaperRvae(SIDE).encoder
    with torch.no_grad():
        encoder.mean.bias[0] = 40.0
        angle, _, _ = ServedWindowEncoder(encoder, READOUT)(torch.rand(9, SIDE, SIDE))
    assert (angle.abs() <= math.pi / 3 + 1e-5).all()


@pytest.mark.parametrize("orientation", [-25.0, 0.0, 12.0, 29.0])
def test_the_orientation_of_a_sheet_is_that_of_both_its_sublattices(
    orientation: float,
) -> None:
    other = np.arange(200) % 2 * 60.0
    angle = np.radians(orientation + other - np.linspace(-3, 3, 200))
    angle[::50] = np.nan  # an atom without neighbours
    assert orientation_deg(angle) == pytest.approx(orientation, abs=0.2)


def test_an_angle_is_off_modulo_a_third_of_a_turn() -> None:
    told = np.radians([10.0, 130.0, -59.0, 30.0])
    true = np.radians([12.0, 12.0, 59.0, -30.0])
    np.testing.assert_allclose(errors_deg(told, true), [2, 2, 2, 60], atol=1e-9)
