"""What the tests of the analysis draw, and the model that is shipped."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from inference.analyse import Analyser, History
from inference.card import DcnnCard, SiliconRule
from inference.catalogue import DEFAULT
from inference.model import load_model
from streamer.analysis import Analysis
from streamer.frame import Frame, Stream
from streamer.simulator.sheet import Sheet
from tests.inference.exposing import SEED, damaged, exposed, microscope

type MakeFrame = Callable[..., Frame]
type Draw = Callable[..., NDArray[np.float32]]

HAADF = Stream("5f0c", "simulator", "HAADF")


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Gaussians of height 1 (or `height`) at (row, col), the highest counting."""

    def drawn(
        shape: tuple[int, int],
        rowcol: ArrayLike,
        sigma_px: float,
        height: ArrayLike = 1.0,
    ) -> NDArray[np.float32]:
        where = np.asarray(rowcol, np.float64).reshape(-1, 2)
        heights = np.broadcast_to(np.asarray(height, np.float64), len(where))
        rows, cols = np.indices(shape)
        image = np.zeros(shape)
        for (row, col), peak in zip(where, heights, strict=True):
            square = (rows - row) ** 2 + (cols - col) ** 2
            image = np.maximum(image, peak * np.exp(-0.5 * square / sigma_px**2))
        return image.astype(np.float32)

    return drawn


@pytest.fixture(scope="session")
def dcnn_card() -> DcnnCard:
    """A card for maps of 0.02 nm per pixel: nearest atoms are 3.5 pixels apart."""
    return DcnnCard(
        file="dcnn.onnx",
        sha256="0" * 64,
        pixel_size_nm=0.02,
        stride_px=8,
        classes=("C", "Si", "background"),
        threshold=0.35,
        silicon=SiliconRule(),
    )


@pytest.fixture(scope="session")
def make_frame() -> Callable[..., Frame]:
    """A frame of an image, of the simulator's default pixel size."""

    def make(image: NDArray[np.generic], seq: int = 0, **fields: object) -> Frame:
        return Frame(HAADF, seq, image, **({"pixel_size_nm": 1 / 64} | fields))

    return make


@pytest.fixture(scope="session")
def analyser() -> Analyser:
    """The shipped model, on one thread: on small frames others only wait and burn."""
    return Analyser(load_model(DEFAULT, threads=1))


@pytest.fixture(scope="session")
def stages() -> Mapping[str, Sheet]:
    return dict(zip(("early", "late"), damaged(SEED, 42), strict=True))


@pytest.fixture(scope="session")
def pristine(stages: Mapping[str, Sheet]) -> NDArray[np.float32]:
    """Counts of a clean early sheet, 512 x 512."""
    return exposed(stages["early"], microscope(), clean=True).image


@pytest.fixture
def analyse(analyser: Analyser, make_frame: MakeFrame) -> Callable[..., Analysis]:
    def analysed(image: NDArray[np.generic], **fields: object) -> Analysis:
        return analyser.analyse(make_frame(image, **fields), History())

    return analysed
