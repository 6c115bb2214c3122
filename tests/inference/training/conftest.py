"""Small sets to train on. Without the extra [train] none of this is run."""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from streamer.frame import Frame, Stream
from streamer.session.recorder import FrameRecorder

if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["test_*.py"]

STREAM = Stream("5f0c", "simulator", "HAADF")
PIXEL_SIZE_NM = 0.016


@contextmanager
def silent(_name: str) -> Iterator[Callable[[int, int], None]]:
    yield lambda _done, _total: None


@pytest.fixture
def stage() -> object:
    """A stage that nobody looks at."""
    return silent


def honeycomb(side_nm: float, vacancy: bool = False) -> np.ndarray:
    """(N, 2) sites of graphene in a square, in nm; without the one in the middle."""
    bond = 0.142
    steps = np.arange(-40, 40)
    first, second = (axis.ravel() for axis in np.meshgrid(steps, steps))
    corner = np.stack(
        [first * 1.5 * bond, (first / 2 + second) * np.sqrt(3) * bond], axis=1
    )
    sites = np.concatenate([corner, corner + [bond, 0]]) + side_nm / 2
    if vacancy:
        sites = sites[np.hypot(*(sites - side_nm / 2).T) > 0.01]
    return sites[((sites > 0) & (sites < side_nm)).all(axis=1)]


@pytest.fixture(scope="session")
def record(draw: Callable[..., np.ndarray]) -> Callable[..., Path]:
    """Record a session of frames: of sheets, or of nothing at all."""

    def recorded(folder: Path, frames: int = 2, *, atoms: bool = True) -> Path:
        rng = np.random.default_rng(3)
        shape = (224, 224)
        sites = honeycomb(shape[0] * PIXEL_SIZE_NM, vacancy=True) / PIXEL_SIZE_NM
        with FrameRecorder(folder) as recorder:
            for seq in range(frames):
                image = np.zeros(shape, np.float32)
                if atoms:
                    image = draw(shape, sites, 2.7) + rng.normal(0, 0.05, shape)
                frame = Frame(
                    STREAM, seq, image.astype(np.float32), pixel_size_nm=PIXEL_SIZE_NM
                )
                recorder.commit_frame(frame, 0)
        return folder

    return recorded
