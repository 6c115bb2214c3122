"""Analyses of frames that were never scanned: what is in them is known exactly."""

import math

import numpy as np
from numpy.typing import NDArray

from streamer.analysis import Analysis, ModelId, Preview, Summary
from streamer.atoms import Atoms
from streamer.frame import Completeness, Stream

SIDE, PIXEL_NM, ORIGIN_NM = 200, 0.02, (-1.0, -3.0)
PERIOD_RAD = 2 * math.pi / 3
LOW, HIGH = 2.0, 53.0
MODEL = ModelId("drawn", "0" * 64, ("crystallinity",), PERIOD_RAD)


def stream_of(run: str, channel: str = "HAADF") -> Stream:
    return Stream(run, "uSim Scan", channel)


def atoms_at(
    rows: NDArray[np.float32],
    cols: NDArray[np.float32],
    silicon: int = 0,
    angle_rad: float = 0.0,
    latents: dict[str, NDArray[np.float32]] | None = None,
) -> Atoms:
    """The first `silicon` of them are Si."""
    count = len(rows)
    zeros = np.zeros(count, np.float32)
    species = np.zeros(count, np.uint8)
    species[:silicon] = 1
    x_nm, y_nm = (px * np.float32(PIXEL_NM) for px in (cols, rows))
    return Atoms(
        rows, cols, x_nm, y_nm, zeros, zeros, rows, cols, species, zeros + 1,
        zeros + np.float32(angle_rad), zeros.astype(np.bool_),
        {"crystallinity": zeros} if latents is None else latents,
    )  # fmt: skip


def grid(count: int, step: int = 10) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows and columns of `count` atoms, `step` pixels apart."""
    across = SIDE // step - 1
    rows, cols = np.divmod(np.arange(count), across)
    return (
        (step * (rows + 1)).astype(np.float32),
        (step * (cols + 1)).astype(np.float32),
    )


def analysis_of(
    stream: Stream,
    seq: int = 0,
    atoms: Atoms | None = None,
    image: NDArray[np.uint8] | None = None,
    shape: tuple[int, int] = (SIDE, SIDE),
) -> Analysis:
    """An analysis; its frame is black but for what `image` says."""
    found = Atoms.none(("crystallinity",)) if atoms is None else atoms
    silicon = int((found.species == 1).sum())
    counts = {"C": len(found) - silicon, "Si": silicon}
    return Analysis(
        stream=stream,
        seq=seq,
        model=MODEL,
        provider="nobody",
        shape=shape,
        pixel_size_nm=PIXEL_NM,
        origin_nm=ORIGIN_NM,
        time_s=math.nan,
        dose_e_nm2=math.nan,
        completeness=Completeness.COMPLETE,
        flags=(),
        atoms=found,
        summary=Summary(counts, 16.0, 1.0, 0.0, 0.142, math.nan),
        stages_ms={},
        latency_s=0.0,
        preview=Preview(
            np.zeros((SIDE, SIDE), np.uint8) if image is None else image, LOW, HIGH
        ),
    )
