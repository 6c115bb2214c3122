"""A movie of graphene under the beam, drawn straight into analyses.

Two grains meet at a boundary, holes grow, a few Si sit at their edges. Nothing
here is measured: every number a test expects can be worked out from what is drawn.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from streamer.analysis import Analysis, Flag, ModelId, Preview, Summary
from streamer.atoms import Atoms
from streamer.frame import Completeness, Stream

BOND_NM = 0.142
FRAME_S = 33.5
DOSE_E_NM2 = 1.6e7
MODEL = ModelId(
    name="graphene-si",
    sha256="5f3a9c41" + "0" * 56,
    latents=("crystallinity", "z1", "z2"),
    angle_period_rad=2 * math.pi / 3,
)


STREAM = Stream("00000000-0000-4000-8000-000000000000", "simulator", "HAADF")


@dataclass(frozen=True)
class Movie:
    """Frames of graphene that loses its order from one to the next."""

    side_px: int = 1024
    pixel_size_nm: float = 16 / 1024
    stream: Stream = STREAM
    model: ModelId = MODEL
    frames_to_ruin: int = 60
    seed: int = 7

    @property
    def side_nm(self) -> float:
        return self.side_px * self.pixel_size_nm

    def __call__(self, seq: int) -> Analysis:
        rng = np.random.default_rng((self.seed, seq))
        positions, angle = self._lattice()
        depth = self._distance_to_hole(positions, seq)
        keep = depth > 0
        atoms = self._atoms(rng, positions, angle, depth, keep)
        return Analysis(
            stream=self.stream,
            seq=seq,
            model=self.model,
            provider="CPUExecutionProvider",
            shape=(self.side_px, self.side_px),
            pixel_size_nm=self.pixel_size_nm,
            origin_nm=(0.0, 0.0),
            time_s=FRAME_S * seq,
            dose_e_nm2=DOSE_E_NM2 * (seq + 1),
            completeness=Completeness.COMPLETE,
            flags=() if len(atoms) else (Flag.NO_ATOMS,),
            atoms=atoms,
            summary=self._summary(atoms, seq),
            stages_ms={"network": 96.0, "positions": 212.0, "latents": 58.0},
            latency_s=0.38 + 0.04 * rng.random(),
            preview=self._preview(rng, atoms),
        )

    def _lattice(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Positions (N, 2) as (x, y) in nm, and the angle of each site in rad."""
        grains = [self._grain(math.radians(a)) for a in (8.0, 31.0)]
        boundary = [
            xy[:, 0] + 0.35 * xy[:, 1] < 0.65 * self.side_nm for xy, _ in grains
        ]
        sides = (boundary[0], ~boundary[1])
        return (
            np.concatenate(
                [xy[side] for (xy, _), side in zip(grains, sides, strict=True)]
            ),
            np.concatenate(
                [a[side] for (_, a), side in zip(grains, sides, strict=True)]
            ),
        )

    def _grain(self, turn: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        reach = math.ceil(self.side_nm / BOND_NM)
        i, j = np.mgrid[-reach:reach, -reach:reach].reshape(2, -1)
        a1, a2 = BOND_NM * np.array([[1.5, 0.75**0.5], [1.5, -(0.75**0.5)]])
        one = i[:, None] * a1 + j[:, None] * a2
        both = np.concatenate([one, one + np.array([BOND_NM, 0.0])])
        site = np.repeat([turn, turn + math.pi / 3], len(one))
        c, s = math.cos(turn), math.sin(turn)
        xy = both @ np.array([[c, -s], [s, c]]) + self.side_nm / 2
        inside = ((xy > 0) & (xy < self.side_nm - self.pixel_size_nm)).all(axis=1)
        return xy[inside], site[inside]

    def _distance_to_hole(
        self, positions: NDArray[np.float64], seq: int
    ) -> NDArray[np.float64]:
        """Distance in nm to the nearest edge of a hole; negative inside."""
        centres = self.side_nm * np.array([[0.31, 0.36], [0.74, 0.70], [0.22, 0.82]])
        grown = min(seq / self.frames_to_ruin, 1.0)
        radii = self.side_nm * (0.01 + np.array([0.17, 0.12, 0.07]) * grown)
        across = positions[:, None] - centres
        wobble = 1 + 0.12 * np.sin(5 * np.arctan2(across[..., 1], across[..., 0]))
        return (np.hypot(across[..., 0], across[..., 1]) - radii * wobble).min(axis=1)

    def _atoms(
        self,
        rng: np.random.Generator,
        positions: NDArray[np.float64],
        angle: NDArray[np.float64],
        depth: NDArray[np.float64],
        keep: NDArray[np.bool_],
    ) -> Atoms:
        positions, angle, depth = positions[keep], angle[keep], depth[keep]
        count = len(positions)
        order = 1 - np.exp(-depth / 0.35)
        xy = positions + rng.normal(0, 0.006, (count, 2))
        px = xy / self.pixel_size_nm
        likely = np.random.default_rng(self.seed).random(len(keep))[keep]
        species = (likely < 0.12 * np.exp(-depth / 0.1)).astype(np.uint8)
        spread = np.radians(2.0 + 22.0 * np.exp(-depth / 0.3))
        edge = ((xy < 0.5) | (xy > self.side_nm - 0.5)).any(axis=1)
        latents = {
            "crystallinity": order - 0.25 * edge + rng.normal(0, 0.06, count),
            "z1": 1.4 * np.cos(3 * angle) * order + rng.normal(0, 0.3, count),
            "z2": np.exp(-depth / 0.6) * 2 - 0.5 + rng.normal(0, 0.25, count),
        }
        return Atoms.from_columns(
            {
                "row_px": px[:, 1], "col_px": px[:, 0],
                "x_nm": xy[:, 0], "y_nm": xy[:, 1],
                "x_sigma_nm": np.full(count, 0.006),
                "y_sigma_nm": np.full(count, 0.006),
                "row_net_px": px[:, 1], "col_net_px": px[:, 0],
                "species": species,
                "score": np.clip(rng.normal(0.95, 0.03, count), 0, 1),
                "angle_rad": angle + rng.normal(0, 1, count) * spread,
                "edge": edge,
                **{name: latents[name] for name in self.model.latents},
            }
        )  # fmt: skip

    def _summary(self, atoms: Atoms, seq: int) -> Summary:
        silicon = int(atoms.species.sum())
        area = self.side_nm**2
        xy = np.column_stack([atoms.x_nm, atoms.y_nm])
        grid = np.linspace(0, self.side_nm, 48)
        points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
        bare = self._distance_to_hole(points, seq) < -0.3
        bond = cKDTree(xy).query(xy, k=2)[0][:, 1] if len(xy) > 1 else [math.nan]
        order = atoms.latents.get("crystallinity", np.array([math.nan]))
        return Summary(
            counts={"C": len(atoms) - silicon, "Si": silicon},
            area_nm2=area,
            density_nm2=len(atoms) / area,
            hole_area_nm2=float(bare.mean() * area),
            bond_length_nm=float(np.median(bond)),
            mean_crystallinity=float(order.mean()),
            lattice_constant_nm=0.246 + 1e-5 * seq,
        )

    def _preview(self, rng: np.random.Generator, atoms: Atoms) -> Preview:
        drawn = np.zeros((self.side_px, self.side_px), np.float32)
        where = tuple(
            np.clip(px.round().astype(int), 0, self.side_px - 1)
            for px in (atoms.row_px, atoms.col_px)
        )
        np.add.at(drawn, where, 1.0 + 2.2 * atoms.species)
        blurred = gaussian_filter(drawn, 0.045 / self.pixel_size_nm)
        peak = float(blurred.max()) or 1.0
        noisy = blurred / peak + rng.normal(0.12, 0.05, drawn.shape)
        image = (np.clip(noisy / 0.9, 0, 1) * 255).astype(np.uint8)
        return Preview(image=image, low=0.0, high=1.0)


@pytest.fixture(scope="session")
def movie() -> Callable[[int], Analysis]:
    """Frames of 3 nm: some 350 atoms, drawn in a few milliseconds."""
    return cache(Movie(side_px=192))


@pytest.fixture(scope="session")
def full_size_movie() -> Callable[[int], Analysis]:
    """Frames of 1024 x 1024 pixels and 16 nm: some 9 500 atoms."""
    return cache(Movie())
