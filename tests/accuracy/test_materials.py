"""Real frames, which are not part of the project: graphene, and what is not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from inference.analyse import Analyser, History
from inference.catalogue import DEFAULT
from inference.model import load_model
from streamer.analysis import Flag
from streamer.frame import Frame, Stream

type Flags = Callable[[NDArray[np.generic], float], set[Flag]]

NOT_GRAPHENE = {Flag.OTHER_LATTICE, Flag.BLURRED, Flag.TOO_NOISY, Flag.NO_ATOMS}


@pytest.fixture(scope="module")
def flags() -> Flags:
    analyser = Analyser(load_model(DEFAULT))
    stream = Stream("5f0c", "microscope", "HAADF")

    def flags(image: NDArray[np.generic], pixel_size_nm: float) -> set[Flag]:
        frame = Frame(
            stream, 0, np.ascontiguousarray(image), pixel_size_nm=pixel_size_nm
        )
        return set(analyser.analyse(frame, History()).flags)

    return flags


@pytest.mark.parametrize(
    ("file", "pixel_size_nm"),
    [
        ("series/Si3C6_7-77.npy", 0.0077),
        ("series/Si1C4_53-64.npy", 0.01179),
        ("graphene/G-GrainBoundary-6nm.npy", 0.01195),
        ("graphene_si/G-Si-2nm.npy", 0.00761),
        ("graphene_si/G-dimSi.npy", 0.00386),
        ("graphene_si/LibraryNet_test-1.npy", 0.00867),
    ],
)
def test_no_frame_of_graphene_is_flagged(
    real_data: Path, flags: Flags, file: str, pixel_size_nm: float
) -> None:
    frames = np.load(real_data / file)
    for image in frames.reshape(-1, *frames.shape[-2:]):
        assert flags(image, pixel_size_nm) == set()


def test_a_calibration_that_is_a_tenth_off_is_doubted(
    real_data: Path, flags: Flags
) -> None:
    image = np.load(real_data / "graphene_si/LibraryNet_test-1.npy")
    # 2 nm over 256 pixels, as its file says; its lattice says 0.0087.
    assert flags(image, 2 / 256) == {Flag.PIXEL_SIZE_DOUBTFUL}


@pytest.mark.parametrize("pixel_size_nm", [0.03125, 0.0376], ids=["nominal", "true"])
@pytest.mark.parametrize(
    ("channel", "said"),
    [("HAADF", {Flag.OTHER_LATTICE}), ("Ext", {Flag.TOO_NOISY})],
)
def test_tungsten_diselenide_is_none(
    real_data: Path, flags: Flags, channel: str, said: set[Flag], pixel_size_nm: float
) -> None:
    file = real_data / "seebic" / f"Recording_of_SuperScan_({channel}).tif"
    for image in tifffile.imread(file):
        assert said <= flags(image, pixel_size_nm)


def test_sulphides_are_none(real_data: Path, flags: Flags) -> None:
    converted = "Partially_SuperScan_(HAADF)_14_corrected.tif"
    wsse = tifffile.imread(real_data / "wsse" / converted)
    assert Flag.OTHER_LATTICE in flags(wsse, 0.015625)
    ws2 = np.load(real_data / "ws2" / "WS2.npy")
    assert Flag.OTHER_LATTICE in flags(ws2, 0.01062)
    mos2 = np.load(real_data / "mos2" / "MoS2_stem_Exp-000-2.npy")
    for pixel_size_nm in (0.01, 0.0125, 0.0156, 0.02):  # the file does not say
        assert flags(mos2, pixel_size_nm) & NOT_GRAPHENE


def test_molybdenum_disulphide_with_a_hole_is_none(
    real_data: Path, flags: Flags
) -> None:
    file = real_data / "mos2" / "example_Se_implanted_MoS2.dm3"
    # Where the image is in this very file; its other 1024 are a thumbnail and tags.
    image = np.fromfile(file, "<u4", 1024 * 1024, offset=597359)
    assert flags(image.reshape(1024, 1024), 0.0126953125) & NOT_GRAPHENE
