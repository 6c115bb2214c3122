"""Frames and analyses with every field set."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.analysis import Analysis, Flag, ModelId, Summary
from streamer.atoms import FIXED_COLUMNS, Atoms, sigma_columns
from streamer.frame import Completeness, Frame, Stream
from streamer.histogram import Histogram
from streamer.preview import preview

HAADF = Stream("5f0c", "SuperScan", "HAADF")
MODEL = ModelId("compact", "ab" * 32, ("crystallinity", "z1"), 2 * math.pi / 3)
PERIOD_NS = 33_500_000_000


def noise(seq: int) -> NDArray[np.generic]:
    return np.random.default_rng(seq).normal(100, 20, (16, 24)).astype(np.float32)


@pytest.fixture(scope="session")
def make_frame() -> Callable[..., Frame]:
    def make(
        seq: int = 0,
        stream: Stream = HAADF,
        image: NDArray[np.generic] | None = None,
        **fields: object,
    ) -> Frame:
        start_ns = 1_700_000_000_000_000_000 + seq * PERIOD_NS
        known = {
            "pixel_size_nm": 0.0156,
            "origin_nm": (-2.5, 1.25),
            "start_ns": start_ns,
            "end_ns": start_ns + PERIOD_NS,
            "dwell_time_us": 31.9,
            "dose_e_nm2": 1e6,
            "metadata": {"instrument": {"high_tension": 60000.0, "name": "Ä\n"}},
        }
        pixels = noise(seq) if image is None else image
        return Frame(stream, seq, pixels, **(known | fields))

    return make


def some_atoms(count: int, latents: tuple[str, ...], seed: int) -> Atoms:
    rng = np.random.default_rng(seed)
    columns = {
        name: rng.normal(size=count).astype(dtype)
        for name, dtype in FIXED_COLUMNS.items()
    }
    columns["species"] = (np.arange(count) % 3 == 1).astype(np.uint8)
    columns["edge"] = np.arange(count) % 2 == 0
    columns |= {
        name: rng.normal(size=count).astype(np.float32)
        for name in (*latents, *sigma_columns(latents))
    }
    columns["x_sigma_nm"][::2] = np.nan
    return Atoms.from_columns(columns)


@pytest.fixture(scope="session")
def make_analysis() -> Callable[..., Analysis]:
    def make(
        frame: Frame,
        atoms: int = 7,
        model: ModelId = MODEL,
        time_s: float = math.nan,
        dose_e_nm2: float = math.nan,
    ) -> Analysis:
        found = some_atoms(atoms, model.latents, frame.seq)
        return Analysis(
            stream=frame.stream,
            seq=frame.seq,
            model=model,
            provider="CPUExecutionProvider",
            shape=frame.shape,
            pixel_size_nm=0.02,
            origin_nm=frame.origin_nm,
            time_s=time_s,
            dose_e_nm2=dose_e_nm2,
            completeness=Completeness.COMPLETE,
            flags=(Flag.NOT_FINITE,) if atoms else (Flag.NO_ATOMS,),
            atoms=found,
            summary=Summary(
                {"C": 5, "Si": 2}, 3.2, 38.1, 0.0, 0.142, math.nan,
                lattice_constant_nm=0.246,
                lattice_constant_sigma_nm=0.0001,
                histograms={"z1": Histogram(0.0, 1.0, (3, 4), 1, 2, 5)},
            ),
            stages_ms={"segment": 31.5, "locate": 2.0},
            latency_s=0.25,
            preview=preview(frame.image, frame.valid_rows),
            estimated_pixel_size_nm=0.0156,
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def same_frames() -> Callable[[Frame, Frame], None]:
    def same(one: Frame, other: Frame) -> None:
        assert one.image.dtype == other.image.dtype
        np.testing.assert_array_equal(one.image, other.image)
        for name in (
            "stream", "seq", "pixel_size_nm", "origin_nm", "start_ns", "end_ns",
            "dwell_time_us", "dose_e_nm2", "completeness", "valid_rows", "metadata",
        ):  # fmt: skip
            assert getattr(one, name) == getattr(other, name), name

    return same


@pytest.fixture(scope="session")
def same_atoms() -> Callable[[Atoms, Atoms], None]:
    def same(one: Atoms, other: Atoms) -> None:
        assert list(one.columns()) == list(other.columns())
        for name, column in one.columns().items():
            assert column.dtype == other.columns()[name].dtype, name
            np.testing.assert_array_equal(column, other.columns()[name], name)

    return same
