"""The segmentation network is as cheap as it was meant to be."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra [train]")

from torch.utils.flop_counter import FlopCounterMode

from inference.training.dcnn import STRIDE_PX, Dcnn, Maps

NOMINAL_PX = 800
"""Of a frame of 1024 pixels over 16 nm, on the network's pixels of 0.02 nm."""


def test_a_nominal_frame_costs_at_most_8_gflop() -> None:
    image = torch.zeros(1, 1, NOMINAL_PX, NOMINAL_PX)
    with FlopCounterMode(display=False) as counted, torch.no_grad():
        Dcnn().eval()(image)
    assert 1e9 < counted.get_total_flops() <= 8e9


@pytest.mark.parametrize("sides", [(STRIDE_PX, 3 * STRIDE_PX), (160, 48)])
def test_maps_are_as_large_as_the_image_and_sum_to_at_most_one(
    sides: tuple[int, int],
) -> None:
    torch.manual_seed(1)
    with torch.no_grad():
        carbon, silicon = Maps(Dcnn().eval())(torch.randn(2, 1, *sides))
    assert carbon.shape == silicon.shape == (2, *sides)
    assert ((carbon >= 0) & (silicon >= 0) & (carbon + silicon <= 1)).all()
