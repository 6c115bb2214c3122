import numpy as np

from inference.model import Encoded
from inference.order import Order, in_places


def order(first: int, count: int) -> Order:
    """Of atoms that are told by their numbers."""
    number = np.arange(first, first + count, dtype=np.float32)
    latents = np.stack([number, -number], axis=1)
    sigma = np.stack([number, number, number], axis=1) / 10
    return Order(Encoded(number, latents, sigma), number % 2 == 1)


def test_each_atom_keeps_what_was_said_of_its_peak_and_added_ones_their_own() -> None:
    # Of five peaks the second is no atom; two more atoms were added.
    placed = in_places(np.array([0, 2, 3, 4, -1, -1]), order(10, 5), order(20, 2))
    expected = [10, 12, 13, 14, 20, 21]
    assert placed.encoded.angle_rad.tolist() == expected
    assert placed.encoded.latents[:, 1].tolist() == [-each for each in expected]
    assert placed.encoded.sigma is not None
    np.testing.assert_allclose(placed.encoded.sigma[:, 0], np.array(expected) / 10)
    assert placed.edge.tolist() == [each % 2 == 1 for each in expected]
