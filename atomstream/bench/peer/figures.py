"""The peer's figures, and ours against them."""

from collections.abc import Mapping
from dataclasses import dataclass

from atomstream.bench.spread import Timing


@dataclass(frozen=True, slots=True)
class Ratios:
    """How many times what we take the peer takes."""

    cpu: float
    """Without refinement: predict and coordinates, against all that we do."""
    refined_cpu: float | None
    """With its `refine=True`, against our default; None where that was not run."""
    memory: float
    """Peak of a process that analyses one frame, both without refinement."""
    refined_memory: float
    """Of the peer's without refinement, against ours with."""
    atoms: float
    """That it found, for each that we found: both should have done the same work."""


@dataclass(frozen=True, slots=True)
class PeerFrame:
    """One size of frame."""

    size_px: int
    repeats: int
    atoms: int
    frame: Timing
    """Probabilities and coordinates; no sub-images, no orientation, no table."""
    refined_wall_s: float | None
    """Run once; None for frames larger than those that are."""
    refined_cpu_s: float | None
    peak_mb: float
    """Of a fresh process that does it once, without refinement."""
    ratios: Ratios


@dataclass(frozen=True, slots=True)
class PeerFigures:
    """All frames, in the same run as ours."""

    name: str
    versions: Mapping[str, str]
    parameters: int
    """Of its network."""
    training_steps: int
    """That it was trained for, on simulated frames: enough to find the atoms."""
    frames: tuple[PeerFrame, ...]


def ratio(peer: float, ours: float) -> float:
    """Peer's over ours.

    Raises
    ------
    ValueError
        Ours is nothing.
    """
    if ours <= 0:
        raise ValueError(f"a ratio to {ours}")
    return peer / ours
