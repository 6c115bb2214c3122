"""Sub-images of simulated movies, described in every way that is to be compared."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from inference.card import DcnnCard
from inference.describe import Describer
from inference.order_parameters import OrderParameters, order_parameters
from inference.tiles import Network
from inference.training.footage import Footage
from inference.training.progress import Progress
from inference.training.subimage_set import found_atoms
from inference.training.window_set import WindowSet
from streamer.simulator.movie import Exposure


@dataclass(frozen=True, slots=True, eq=False)
class DescribedAtoms:
    """One row a detected atom that is a true one and that all describers see whole."""

    rows: Mapping[str, NDArray[np.float32]]
    """What each describer makes of it, by the describer's name."""
    angle_rad: NDArray[np.float32]
    """(N,): true orientation, modulo 2π/3."""
    crystallinity: NDArray[np.float32]
    """(N,): true order, 0..1."""
    detected: OrderParameters
    """From the positions of all detected atoms."""

    def __len__(self) -> int:
        return len(self.angle_rad)

    def chosen(self, rows: NDArray[np.intp]) -> "DescribedAtoms":
        """Those in these rows."""
        return DescribedAtoms(
            rows={name: described[rows] for name, described in self.rows.items()},
            angle_rad=self.angle_rad[rows],
            crystallinity=self.crystallinity[rows],
            detected=self.detected[rows],
        )

    def windows(self, name: str) -> WindowSet:
        """The windows of one describer, to be read by the truth."""
        return WindowSet(self.rows[name], self.angle_rad, self.crystallinity)


def simulate_described(
    footage: Footage,
    card: DcnnCard,
    network: Network,
    describers: Mapping[str, Describer],
    seed: int | list[int],
    progress: Progress,
) -> DescribedAtoms:
    """Atoms of simulated movies."""
    parts: list[DescribedAtoms] = []
    for number, shot in enumerate(footage.shot(np.random.default_rng(seed))):
        for exposure, rng in shot.exposures():
            every = describe_atoms(exposure, card, network, describers)
            parts.append(every.chosen(shot.drawn(len(every), rng)))
        progress(number + 1, footage.movies)
    return join_described(parts)


def describe_atoms(
    exposure: Exposure,
    card: DcnnCard,
    network: Network,
    describers: Mapping[str, Describer],
) -> DescribedAtoms:
    """Atoms of one frame."""
    found = found_atoms(exposure, card, network)
    described = {
        name: describer.describe(found.maps, found.on_maps)
        for name, describer in describers.items()
    }
    whole = ~np.any([one.edge for one in described.values()], axis=0)
    order = order_parameters(found.detected * card.pixel_size_nm)
    kept, true = found.rows[whole], found.true[whole]
    return DescribedAtoms(
        rows={name: one.rows[whole] for name, one in described.items()},
        angle_rad=exposure.truth.angle_rad[true],
        crystallinity=exposure.truth.crystallinity[true],
        detected=order[kept],
    )


def join_described(parts: list[DescribedAtoms]) -> DescribedAtoms:
    """All rows of several, described in the same ways."""
    return DescribedAtoms(
        rows={
            name: np.concatenate([part.rows[name] for part in parts])
            for name in parts[0].rows
        },
        angle_rad=np.concatenate([part.angle_rad for part in parts]),
        crystallinity=np.concatenate([part.crystallinity for part in parts]),
        detected=OrderParameters(
            **{
                field.name: np.concatenate(
                    [getattr(part.detected, field.name) for part in parts]
                )
                for field in fields(OrderParameters)
            }
        ),
    )
