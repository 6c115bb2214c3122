"""An analysis is a guest in its process: it leaves it as it was."""

import random
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.analyse import Analyser, History
from streamer.frame import Frame
from streamer.simulator.microscope import Microscope
from streamer.simulator.movie import expose
from streamer.simulator.sheet import Growth, grow_sheet

FRAMES = 25
KEPT_MB = 8
"""By which the process may grow over that many; each takes some 20 while it lasts."""


@pytest.fixture(scope="module")
def frame(make_frame: Callable[..., Frame]) -> Frame:
    rng = np.random.default_rng(3)
    setting = Microscope((256, 256), 4.0, frame_time_s=33.5 / 16)
    sheet = grow_sheet(Growth(field_nm=4.0), rng)
    return make_frame(expose(sheet, [], setting, 0, rng).image)


def test_nothing_is_printed_written_or_drawn_from_others_randomness(
    analyser: Analyser,
    frame: Frame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    np.random.seed(5)  # noqa: NPY002 # the global state is what is tested
    random.seed(5)
    expected = (np.random.random(), random.random())  # noqa: NPY002 # as above
    np.random.seed(5)  # noqa: NPY002 # as above
    random.seed(5)
    assert len(analyser.analyse(frame, History()).atoms) > 400
    assert (np.random.random(), random.random()) == expected  # noqa: NPY002 # as above
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_the_frame_is_left_as_it_came(analyser: Analyser, frame: Frame) -> None:
    before = frame.image.copy()
    analyser.analyse(frame, History())
    np.testing.assert_array_equal(frame.image, before)


def test_memory_does_not_grow_from_frame_to_frame(
    analyser: Analyser, frame: Frame
) -> None:
    for _ in range(5):
        analyser.analyse(frame, History())
    before = resident_mb()
    for _ in range(FRAMES):
        analyser.analyse(frame, History())
    assert resident_mb() - before < KEPT_MB


def resident_mb() -> float:
    """What this process has in memory now; `ru_maxrss` would be the most so far."""
    status = Path("/proc/self/statm")
    if not status.exists():
        pytest.skip("only Linux tells")
    return int(status.read_text().split()[1]) * resource.getpagesize() / 1e6
