"""The numbers of a frame, and what of them older or broken senders leave out."""

import math
from dataclasses import replace

import msgpack
import pytest

from streamer.analysis import Analysis, Summary
from streamer.errors import WireError
from streamer.histogram import Histogram
from streamer.wire import pack, unpack
from tests.streamer.test_wire_limits import ANALYSIS, tampered

SPREAD = Histogram(0.0, 1.0, (3, 0, 4), below=1, above=2, unknown=5)
SUMMARY = Summary(
    counts={"C": 15},
    area_nm2=1.0,
    density_nm2=15.0,
    hole_area_nm2=0.0,
    bond_length_nm=0.142,
    mean_crystallinity=0.9,
    lattice_constant_nm=0.246,
    lattice_constant_sigma_nm=0.0001,
    histograms={"angle_rad": SPREAD, "z1": SPREAD},
)
SENT = replace(ANALYSIS, summary=SUMMARY, estimated_pixel_size_nm=0.02)
WHOLE = {
    "low": 0.0, "high": 1.0, "counts": [3, 0, 4], "below": 1, "above": 2, "unknown": 5
}  # fmt: skip


def received(**changes: object) -> Analysis:
    found = unpack(tampered(SENT, **changes)).message
    assert isinstance(found, Analysis)
    return found


def summary_with(**changes: object) -> dict[str, object]:
    """The summary's fields with some changed; `...` removes one."""
    fields: dict[str, object] = msgpack.unpackb(pack(SENT, 5)[1])["summary"]
    return {key: v for key, v in (fields | changes).items() if v is not ...}


def test_all_numbers_arrive() -> None:
    found = received()
    assert found.summary == SUMMARY
    assert found.estimated_pixel_size_nm == 0.02


def test_a_sender_that_does_not_know_the_newer_ones_is_understood() -> None:
    older = summary_with(
        lattice_constant_nm=..., lattice_constant_sigma_nm=None, histograms=...
    )
    found = received(summary=older, estimated_pixel_size_nm=...)
    assert found.estimated_pixel_size_nm is None
    assert math.isnan(found.summary.lattice_constant_nm)
    assert math.isnan(found.summary.lattice_constant_sigma_nm)
    assert found.summary.histograms == {}
    assert found.summary.bond_length_nm == 0.142


@pytest.mark.parametrize(
    "changes",
    [
        {"lattice_constant_nm": "0.246"},
        {"histograms": [WHOLE]},
        {"histograms": {f"z{number}": WHOLE for number in range(66)}},
        {"histograms": {"z1": WHOLE | {"counts": []}}},
        {"histograms": {"z1": WHOLE | {"counts": [0] * 257}}},
        {"histograms": {"z1": WHOLE | {"counts": [1.5]}}},
        {"histograms": {"z1": WHOLE | {"counts": [-1]}}},
        {"histograms": {"z1": WHOLE | {"below": -1}}},
        {"histograms": {"z1": WHOLE | {"unknown": None}}},
        {"histograms": {"z1": WHOLE | {"high": 0.0}}},
        {"histograms": {"z1": WHOLE | {"high": math.inf}}},
        {"histograms": {"z1": WHOLE | {"low": math.nan}}},
    ],
)
def test_numbers_that_cannot_be_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(WireError, match="header, summary"):
        received(summary=summary_with(**changes))


@pytest.mark.parametrize("size", [0.0, -0.02, math.nan, math.inf, "0.02"])
def test_an_estimate_that_is_no_pixel_size_is_refused(size: object) -> None:
    with pytest.raises(WireError):
        received(estimated_pixel_size_nm=size)
