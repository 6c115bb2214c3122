"""AtomAI on the frames that were measured, in the same run, on as many threads."""

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atomstream.bench.figures import FrameFigures, InferenceFigures
from atomstream.bench.peer import patches
from atomstream.bench.peer.environment import ATOMAI, Environment
from atomstream.bench.peer.figures import PeerFigures, PeerFrame, Ratios, ratio
from atomstream.bench.peer.job import Job, Worker
from atomstream.bench.scenes import draw_scene, keep_scene
from atomstream.bench.spread import Timing, spread
from atomstream.progress import progress_bar
from streamer.errors import SettingsError

LARGEST_PX = 2048
"""Larger frames take it more memory than most machines have."""
LARGEST_REFINED_PX = 1024
"""Its `refine=True` takes some 5 ms of CPU for each atom."""
MOST_REPEATS = 5
STEPS = 60
"""Of training: it then finds 98 % of the atoms of a frame of 1024², and its time
depends on how many it finds."""
BATCH = 8


def check_sizes(sizes: tuple[int, ...]) -> None:
    """Refuse a run in which there is nothing to compare.

    Raises
    ------
    SettingsError
        Every frame is too large for the peer.
    """
    if min(sizes) > LARGEST_PX:
        raise SettingsError(
            f"--peer atomai is measured on frames up to {LARGEST_PX} pixels; "
            f"add such a size to --sizes {','.join(map(str, sizes))}"
        )


def measure_atomai(environment: Environment, ours: InferenceFigures) -> PeerFigures:
    """Its time and memory on our frames, and what they are of ours.

    Raises
    ------
    SettingsError
        It cannot be run.
    """
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(environment, ours.threads, Path(folder))
        weights = trained(worker)
        frames = [frame for frame in ours.frames if frame.size_px <= LARGEST_PX]
        jobs = [frame_job(frame, Path(folder)) for frame in frames]
        job = {"task": "measure", "weights": str(weights), "frames": jobs}
        with progress_bar("measuring AtomAI", at_once=True) as report:
            result = worker.do(job, report)
        told = zip(frames, jobs, result["frames"], strict=True)
        measured = tuple(
            peer_frame(frame, each, peak_mb(worker, weights, frame_job))
            for frame, frame_job, each in told
        )
    return PeerFigures(
        name="AtomAI",
        versions=result["versions"],
        parameters=result["parameters"],
        training_steps=STEPS,
        frames=measured,
    )


def trained(worker: Worker) -> Path:
    """Weights of its network, trained once and kept in its environment."""
    weights = worker.environment.folder / f"atomstream-unet-{recipe()}.pt"
    if not weights.exists():
        drawn = patches.draw_patches()
        file = worker.folder / "patches.npz"
        np.savez(file, images=drawn.images, labels=drawn.labels)
        fresh = worker.folder / weights.name
        job: Job = {
            "task": "train",
            "patches": str(file),
            "weights": str(fresh),
            "steps": STEPS,
            "batch": BATCH,
        }
        with progress_bar("training AtomAI's network, once", at_once=True) as report:
            worker.do(job, report)
        _keep(fresh, weights)
    return weights


def recipe() -> str:
    """What the weights depend on, as a short hash."""
    facts = (
        ATOMAI.version, STEPS, BATCH, patches.DISC_PX, patches.SIDE_PX, patches.MOVIES,
        patches.FRAME_PX, patches.FIELD_NM, patches.SEED,
    )  # fmt: skip
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def frame_job(frame: FrameFigures, folder: Path) -> dict[str, object]:
    """What is to be done with one frame."""
    return {
        "file": str(keep_scene(draw_scene(frame.size_px), folder)),
        "repeats": min(MOST_REPEATS, frame.repeats),
        "refine": frame.size_px <= LARGEST_REFINED_PX,
    }


def peak_mb(worker: Worker, weights: Path, frame_job: Mapping[str, object]) -> float:
    """Memory of a fresh process for the same frame once, without refinement."""
    once = {**frame_job, "repeats": 1, "refine": False}
    job = {"task": "measure", "weights": str(weights), "frames": [once]}
    return worker.peak_mb(job)


def peer_frame(
    ours: FrameFigures, told: Mapping[str, Any], peak_mb: float
) -> PeerFrame:
    """What the peer's program told of a frame, beside ours."""
    plain, refined = told["plain"], told["refined"]
    time = Timing(
        wall_ms=spread([run["wall_s"] * 1e3 for run in plain]),
        cpu_ms=spread([run["cpu_s"] * 1e3 for run in plain]),
    )
    refined_cpu_s = refined["cpu_s"] if refined else None
    return PeerFrame(
        size_px=ours.size_px,
        repeats=len(plain),
        atoms=plain[0]["atoms"],
        frame=time,
        refined_wall_s=refined["wall_s"] if refined else None,
        refined_cpu_s=refined_cpu_s,
        peak_mb=peak_mb,
        ratios=Ratios(
            cpu=ratio(time.cpu_ms.p50, ours.unrefined.frame.cpu_ms.p50),
            refined_cpu=ratio(refined_cpu_s * 1e3, ours.refined.frame.cpu_ms.p50)
            if refined_cpu_s
            else None,
            memory=ratio(peak_mb, ours.unrefined.peak_mb),
            refined_memory=ratio(peak_mb, ours.refined.peak_mb),
            atoms=ratio(plain[0]["atoms"], ours.unrefined.atoms or 1),
        ),
    )


def _keep(fresh: Path, weights: Path) -> None:
    try:
        # Whole or not at all: it is believed by its name.
        partial = weights.with_suffix(".part")
        partial.write_bytes(fresh.read_bytes())
        partial.replace(weights)
    except OSError as error:
        raise SettingsError(f"{weights} cannot be written: {error.strerror}") from error
