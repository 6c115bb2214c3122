import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inference.training.paper_rvae import (
    PaperRvae,
    RotationLoss,
    kl_rotation,
    negative_elbo,
    seen_from,
    window_grid,
)

SIDE = 24
UP = torch.tensor([-0.6, 0.0])
"""Above the middle: rows go down."""


def spot_above(where: "torch.Tensor") -> "torch.Tensor":
    """What an ideal decoder would draw: one spot above the middle of its own frame."""
    return torch.exp(-((where - UP) ** 2).sum(-1) / 0.05)


def drawn(angle: float, shift: tuple[float, float] = (0.0, 0.0)) -> "torch.Tensor":
    grid = window_grid(SIDE)
    where = seen_from(grid, torch.tensor([angle]), torch.tensor([shift]))
    return spot_above(where).reshape(SIDE, SIDE)


def centre(image: "torch.Tensor") -> tuple[float, float]:
    """(right, up) of a spot from the middle, half-windows."""
    axis = torch.linspace(-1, 1, SIDE)
    total = image.sum()
    up = -(image.sum(1) * axis).sum() / total
    return float((image.sum(0) * axis).sum() / total), float(up)


def test_the_networks_are_as_large_as_their_authors() -> None:
    rvae = PaperRvae(SIDE)
    counts = [
        sum(weight.numel() for weight in half.parameters())
        for half in (rvae.encoder, rvae.decoder)
    ]
    assert counts == [91_658, 33_793]  # as counted in AtomAI 0.8.1 at 24 x 24
    mean, log_sd = rvae.encoder(torch.zeros(3, SIDE, SIDE))
    assert mean.shape == log_sd.shape == (3, 5)
    assert rvae.draw(mean, rvae.grid[:7]).shape == (3, 7)


def test_the_grid_goes_down_by_rows_and_left_to_right() -> None:
    grid = window_grid(4)
    assert grid[0].tolist() == [-1, 1]  # upper left: least down, most left
    assert grid[3].tolist() == [-1, -1]
    assert grid[-4].tolist() == [1, 1]


@pytest.mark.parametrize("turn_deg", [10, 45, 90, 137, -60])
def test_what_is_drawn_turns_counter_clockwise_with_the_angle(turn_deg: float) -> None:
    right, up = centre(drawn(math.radians(turn_deg)))
    expected = 90 + turn_deg
    off = math.degrees(math.atan2(up, right)) - expected
    assert (off + 180) % 360 - 180 == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_quarter_turn_of_the_pixels_is_a_quarter_of_the_angle(quarters: int) -> None:
    turned = torch.rot90(drawn(0.3), quarters)  # counter-clockwise
    again = drawn(0.3 + quarters * math.pi / 2)
    torch.testing.assert_close(turned, again, atol=1e-5, rtol=0)


@pytest.mark.parametrize("turn", [0.2, 1.0, -0.7])
def test_the_angle_that_draws_a_turned_window_best_is_larger_by_the_turn(
    turn: float,
) -> None:
    angles = np.arange(-2, 2, 0.01)
    pictures = torch.stack([drawn(float(angle)) for angle in angles])
    best = [
        angles[int(((pictures - drawn(angle)) ** 2).sum((1, 2)).argmin())]
        for angle in (0.1, 0.1 + turn)
    ]
    assert best[1] - best[0] == pytest.approx(turn, abs=0.011)


def test_a_shift_moves_by_tenths_of_half_a_window() -> None:
    right, up = centre(drawn(0.0, shift=(-2.0, -1.0)))
    # Asked for what is farther up and right, the decoder draws it lower and left.
    assert (right, up) == pytest.approx((-0.1, 0.6 - 0.2), abs=0.01)


@pytest.mark.parametrize(
    ("loss", "mean", "sd", "nats"),
    [
        ("authors", 0.0, 0.1, 0.0),
        ("authors", 3.0, 0.1, 0.0),
        ("authors", 3.0, 0.2, math.log(0.1 / 0.2) + 2 - 0.5),
        ("printed", 0.0, 0.2, math.log(0.1 / 0.2) + 2 - 0.5),
        ("printed", 0.3, 0.1, 0.3**2 / 0.02),
        ("printed", math.pi / 6, 0.1, 13.7078),
    ],
)
def test_only_the_printed_loss_charges_for_where_the_angle_is(
    loss: RotationLoss, mean: float, sd: float, nats: float
) -> None:
    found = kl_rotation(torch.tensor([mean]), torch.tensor([math.log(sd)]), loss)
    assert found.item() == pytest.approx(nats, abs=1e-4)


def test_some_pixels_stand_for_all() -> None:
    torch.manual_seed(1)
    rvae = PaperRvae(8)
    windows = torch.rand(5, 8, 8)
    pixels = torch.randperm(64)

    def loss(some: "torch.Tensor") -> float:
        generator = torch.Generator().manual_seed(7)
        return negative_elbo(rvae, windows, some, "authors", generator).item()

    parts = [loss(part) for part in pixels.split(16)]
    assert np.mean(parts) == pytest.approx(loss(torch.arange(64)), rel=1e-5)
    assert np.ptp(parts) > 1e-3
