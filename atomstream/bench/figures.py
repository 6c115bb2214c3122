"""What `atomstream bench inference` measures."""

from collections.abc import Mapping
from dataclasses import dataclass

from atomstream.bench.gemm import GemmPeak
from atomstream.bench.machine import Machine
from atomstream.bench.peer.figures import PeerFigures
from atomstream.bench.spread import Timing


@dataclass(frozen=True, slots=True)
class NetworkFigures:
    """The network that sees atoms, alone."""

    time: Timing
    megapixels: float
    """That it was given: the frame at the network's pixel size, padded."""
    gflop: float
    gflop_s: float
    """By the clock on the wall (median)."""
    gflop_per_cpu_s: float
    share_of_gemm: float
    """Of the matrix product's speed in the same run, both on the wall's clock."""
    share_of_gemm_cpu: float
    """The same, both by CPU time, which other processes disturb less."""


@dataclass(frozen=True, slots=True)
class ModeFigures:
    """One frame with refinement, or without."""

    atoms: int
    frame: Timing
    """From the bytes of its message to those of its atoms table."""
    stages: Mapping[str, Timing]
    """Each part of that, in order."""
    network: NetworkFigures
    encoder: Timing
    """The other network, alone."""
    rest: Timing
    """All but networks and refinement."""
    rest_share: float
    """Of the frame's time (median, wall)."""
    peak_mb: float
    """Of a fresh process that analyses this frame and ends."""


@dataclass(frozen=True, slots=True)
class FrameFigures:
    """One size of frame."""

    size_px: int
    field_nm: float
    repeats: int
    mirrored: bool
    """Whether a quarter was simulated and mirrored."""
    atoms_there: int
    """That are in the frame and not under contamination."""
    unrefined: ModeFigures
    refined: ModeFigures


@dataclass(frozen=True, slots=True)
class StartFigures:
    """`atomstream analyze` of one frame in a fresh process."""

    size_px: int
    starts: int
    first_result_s: float
    """From the process's start until it says that the frame is analysed and on disk
    (median)."""
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class InferenceFigures:
    """All of one run."""

    model: str
    model_sha256: str
    provider: str
    threads: int
    machine: Machine
    gemm: GemmPeak
    flop_per_pixel: float
    """Of the network's input; convolutions as defined, whatever algorithm ran."""
    frames: tuple[FrameFigures, ...]
    start: StartFigures
    peer: PeerFigures | None = None
