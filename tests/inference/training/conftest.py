"""What the tests of training draw. Those that need torch skip where it is not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from streamer.frame import Frame, Stream
from streamer.session.recorder import FrameRecorder

STREAM = Stream("5f0c", "simulator", "HAADF")
PIXEL_SIZE_NM = 0.016


@contextmanager
def silent(_name: str) -> Iterator[Callable[[int, int], None]]:
    yield lambda _done, _total: None


@pytest.fixture
def stage() -> object:
    """A stage that nobody looks at."""
    return silent


def honeycomb(reach_nm: float) -> np.ndarray:
    """(N, 2) sites of graphene, in nm, within a square around the one at (0, 0)."""
    bond, steps = 0.142, np.arange(-40, 41)
    first, second = (axis.ravel() for axis in np.meshgrid(steps, steps))
    corner = np.stack(
        [first * 1.5 * bond, (first / 2 + second) * np.sqrt(3) * bond], axis=1
    )
    sites = np.concatenate([corner, corner + np.array([bond, 0.0])])
    return sites[(np.abs(sites) < reach_nm).all(axis=1)]


@pytest.fixture(scope="session")
def sheet() -> np.ndarray:
    """(N, 2) sites of a whole sheet 3.4 nm wide, in nm, one of them at (0, 0)."""
    return honeycomb(1.7)


def without_centre(sites: np.ndarray) -> np.ndarray:
    """The same with a vacancy."""
    return sites[np.hypot(*sites.T) > 0.01]


@pytest.fixture(scope="session")
def record(draw: Callable[..., np.ndarray], sheet: np.ndarray) -> Callable[..., Path]:
    """Record a session of frames: of sheets, or of nothing at all."""

    def recorded(folder: Path, frames: int = 2, *, atoms: bool = True) -> Path:
        rng = np.random.default_rng(3)
        shape = (224, 224)
        sites = without_centre(sheet) / PIXEL_SIZE_NM + shape[0] / 2
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
