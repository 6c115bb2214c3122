"""The atoms of one frame: a table with one row an atom, held as columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

SPECIES = ("C", "Si")
"""Names of the species codes 0, 1, … in `Atoms.species`."""

PLACE_COLUMNS = ("frame", "stream", "time_s", "dose_e_nm2")
"""What a table of many frames says of each atom's frame, before `Atoms`' columns."""

ANGLE_SIGMA = "angle_sigma_rad"
SIGMA_SUFFIX = "_sigma"


def sigma_columns(latents: Iterable[str]) -> tuple[str, ...]:
    """Names of the columns that say how sure the angle and each latent are."""
    return ANGLE_SIGMA, *(name + SIGMA_SUFFIX for name in latents)


@dataclass(frozen=True, slots=True, eq=False)
class Atoms:
    """Columns of equal length; (row, col) = (0, 0) is the centre of the first pixel."""

    row_px: NDArray[np.float32]
    """Position, in pixels of the frame as it arrived; rows grow downward."""
    col_px: NDArray[np.float32]
    x_nm: NDArray[np.float32]
    """Position along the columns, from the frame's calibration and origin."""
    y_nm: NDArray[np.float32]
    """Position along the rows, growing downward."""
    x_sigma_nm: NDArray[np.float32]
    """Standard uncertainty of `x_nm`; NaN when positions were not refined."""
    y_sigma_nm: NDArray[np.float32]
    row_net_px: NDArray[np.float32]
    """The network's own position, before refinement; NaN for an atom that only the
    refinement saw."""
    col_net_px: NDArray[np.float32]
    species: NDArray[np.uint8]
    """Index into `SPECIES`."""
    score: NDArray[np.float32]
    """0..1: how sure the network is that an atom is here."""
    angle_rad: NDArray[np.float32]
    """Orientation, counter-clockwise as seen on the screen; the model's card says
    after what angle it repeats. NaN where there is too little to tell."""
    edge: NDArray[np.bool_]
    """The atom's sub-image reaches past the frame: angle and latents are less sure."""
    latents: Mapping[str, NDArray[np.float32]]
    """Order parameters by name ("crystallinity", "z1", …), in the card's order."""
    sigmas: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """Posterior standard deviations of the encoder, by the names that `sigma_columns`
    gives; empty for a model that does not tell them."""

    def __post_init__(self) -> None:
        for name in ("latents", "sigmas"):
            copied = MappingProxyType(dict(getattr(self, name)))
            object.__setattr__(self, name, copied)
        lengths = {name: len(column) for name, column in self.columns().items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"columns of different lengths: {lengths}")

    def __len__(self) -> int:
        return len(self.row_px)

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """All columns by name, the latents and their uncertainty last."""
        fixed = {name: getattr(self, name) for name in FIXED_COLUMNS}
        return {**fixed, **self.latents, **self.sigmas}

    @classmethod
    def from_columns(cls, columns: Mapping[str, NDArray[np.generic]]) -> "Atoms":
        """Rebuild from `columns`; what is not a fixed column is a latent or its sigma.

        Raises
        ------
        ValueError
            A fixed column is missing or lengths differ.
        """
        missing = [name for name in FIXED_COLUMNS if name not in columns]
        if missing:
            raise ValueError(f"columns missing: {', '.join(missing)}")
        fixed = {
            name: np.asarray(columns[name], dtype)
            for name, dtype in FIXED_COLUMNS.items()
        }
        learnt = {
            name: np.asarray(column, np.float32)
            for name, column in columns.items()
            if name not in FIXED_COLUMNS
        }
        latents = {name: learnt[name] for name in learnt if not _is_sigma(name)}
        sigmas = {name: learnt[name] for name in learnt if _is_sigma(name)}
        return cls(**fixed, latents=latents, sigmas=sigmas)

    @classmethod
    def none(cls, latent_names: tuple[str, ...] = ()) -> "Atoms":
        """The table of a frame in which nothing was found."""
        columns: dict[str, NDArray[np.generic]] = {
            name: np.empty(0, dtype) for name, dtype in FIXED_COLUMNS.items()
        }
        columns |= {name: np.empty(0, np.float32) for name in latent_names}
        return cls.from_columns(columns)


def _is_sigma(column: str) -> bool:
    return column == ANGLE_SIGMA or column.endswith(SIGMA_SUFFIX)


FIXED_COLUMNS: Mapping[str, np.dtype[np.generic]] = MappingProxyType(
    {
        column.name: np.dtype(
            {"species": np.uint8, "edge": np.bool_}.get(column.name, np.float32)
        )
        for column in fields(Atoms)
        if column.name not in ("latents", "sigmas")
    }
)
"""Name and dtype of every column that each model gives."""
