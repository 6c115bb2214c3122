"""What the encoder says of atoms, from the places where they were seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.model import Encoded


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Of each atom."""

    encoded: Encoded
    edge: NDArray[np.bool_]
    """(N,): what was described reaches past the frame."""


def in_places(peak: NDArray[np.intp], of_peaks: Order, of_added: Order) -> Order:
    """The order of a frame's atoms.

    Parameters
    ----------
    peak
        (N,): which peak each atom is; -1 for those that were added.
    of_peaks
        Of all peaks.
    of_added
        Of the added atoms, in their order.
    """
    added = peak < 0
    # Behind all peaks lie the added ones.
    row = np.where(added, len(of_peaks.edge) + np.cumsum(added) - 1, peak)
    these, those = of_peaks.encoded, of_added.encoded
    sigma = None
    if these.sigma is not None and those.sigma is not None:
        sigma = _chosen(these.sigma, those.sigma, row)
    encoded = Encoded(
        _chosen(these.angle_rad, those.angle_rad, row),
        _chosen(these.latents, those.latents, row),
        sigma,
    )
    return Order(encoded, _chosen(of_peaks.edge, of_added.edge, row))


def _chosen[T: np.generic](
    first: NDArray[T], second: NDArray[T], row: NDArray[np.intp]
) -> NDArray[T]:
    return np.concatenate([first, second])[row]
