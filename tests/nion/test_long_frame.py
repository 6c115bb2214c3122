"""What is shown of a slow scan is of its own frame, and is there when it has ended."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import KDTree

from atomstream.bench.page.chromium import find_chromium, opened
from atomstream.nion.headless import Wanted
from atomstream.ports import free_address
from atomstream_bridge.bridge import Bridge
from dashboard.snapshot import channel_name
from streamer.atoms import Atoms
from streamer.frame import Completeness, Frame, Stream
from streamer.session.reader import SessionReader
from streamer.simulator.movie import Exposure, Movie, simulate

SIDE = 1024
WITHIN_PX = 2.0
"""Of a true place; the next atom is 9 pixels away."""
FEWEST_ROWS = 64
"""In fewer there are too few atoms for shares."""
PATIENCE_S = 240.0
LATE_AT_MOST_S = 3.0
"""With `--long`, on a machine of its own; measured: 1.2 to 1.9, where 1 is aimed at."""
PARTIAL = Completeness.PARTIAL
CHANNEL = channel_name(Stream("", "uSim Scan", "HAADF"))

PAINTED = """(() => {
  const state = window.Bokeh?.documents[0]?.get_model_by_name("state")
  return state != null && state.painted == state.sent
})()"""

CHOSEN = f"""(() => {{
  const select = document.getElementById("channel")
  const offered = [...select.options].some((each) => each.value == "{CHANNEL}")
  if (!offered || select.value == "{CHANNEL}") return offered
  select.value = "{CHANNEL}"
  select.dispatchEvent(new Event("change"))
  return true
}})()"""

NOTE_PAINTS = """(() => {
  const state = window.Bokeh.documents[0].get_model_by_name("state")
  window.paints = []
  state.properties.painted.change.connect(() => {
    const frame = document.getElementById("frame").innerText
    window.paints.push([Date.now(), state.channel, frame])
  })
})()"""

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(900)]


@dataclass
class Turned:
    """A sheet in frames 0, 2, ..., in the others the same one turned left to right."""

    sheet: Exposure
    drawn: list[NDArray[np.float32]] = field(default_factory=list)

    def __call__(self, wanted: Wanted) -> NDArray[np.float32]:
        image = self.sheet.image
        assert wanted.shape == image.shape
        turned = image[:, ::-1] if len(self.drawn) % 2 else image
        self.drawn.append(turned + np.float32(len(self.drawn) * 1e-3))
        return self.drawn[-1]

    def number(self, rows: NDArray[np.generic]) -> int:
        """Which of the frames drawn begins with these rows, all of them."""
        (found,) = [
            number
            for number, drawn in enumerate(self.drawn)
            if drawn[: len(rows)].tobytes() == rows.tobytes()
        ]
        return found

    def atoms(self, number: int, rows: int) -> NDArray[np.float32]:
        """(atoms, 2) row and column of those in its first rows."""
        row, col = self.sheet.truth.row_px, self.sheet.truth.col_px
        col = SIDE - 1 - col if number % 2 else col
        return np.column_stack((row, col))[row < rows]


@pytest.fixture
def turned(scan: Any, sample: Any, monkeypatch: pytest.MonkeyPatch) -> Turned:
    """What the microscope sees in this module."""
    del scan
    clean = Movie(frames=1, blob_radius_nm=0)
    seen = Turned(next(simulate(clean, seed=4)))
    monkeypatch.setattr(type(sample), "__call__", lambda _, wanted: seen(wanted))
    return seen


@dataclass
class Ends:
    """When Nion's scan said that a frame of HAADF is complete, ms since 1970 UTC."""

    at_ms: list[float] = field(default_factory=list)
    listening: Any = None

    def note(self, args: Any, xdata: Any) -> None:
        del xdata
        if args.state == "complete":
            self.at_ms.append(time.time_ns() * 1e-6)


async def comes_true(holds: Callable[[], Any]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not await holds():
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.05)


async def painted_ms(url: str, frames: int, begin: Callable[[], None]) -> list[float]:
    """When the page had painted each of the whole frames 1 to `frames`.

    Where it left one out, when it had painted one after it. Frame 0 is the first sight
    of its channel, which has to be chosen: partial frames come earlier.
    """
    paints: list[tuple[float, int]] = []

    async with opened(url) as tab:
        await comes_true(lambda: tab.evaluate(PAINTED))
        await tab.evaluate(NOTE_PAINTS)
        begin()
        await comes_true(lambda: tab.evaluate(CHOSEN))

        async def has_all() -> bool:
            for at_ms, channel, frame in await tab.evaluate("window.paints.splice(0)"):
                if channel == CHANNEL:
                    paints.append((at_ms, int(frame)))
            return any(frame >= frames for _, frame in paints)

        await comes_true(has_all)
    return [
        min(at_ms for at_ms, painted in paints if painted >= frame)
        for frame in range(1, frames + 1)
    ]


def test_of_a_slow_scan_no_row_of_the_frame_before_is_analysed_and_the_page_is_in_time(
    scan: Any,
    bridge: Callable[..., Bridge],
    program: Callable[..., Any],
    turned: Turned,
    tmp_path: Path,
    wait_for: Callable[[Callable[[], bool], float], None],
    long: bool,
    report: Callable[..., None],
) -> None:
    """With `--long` frames of 33 s, as on the column, and partial ones every 2 s."""
    if find_chromium() is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    frames, frame_s, partial_s = (4, 33.0, 2.0) if long else (2, 5.0, 2.0)
    parameters = scan.get_current_frame_parameters()
    parameters.pixel_size = (SIDE, SIDE)
    parameters.pixel_time_us = frame_s / SIDE**2 * 1e6
    parameters.fov_nm = 16.0
    scan.set_current_frame_parameters(parameters)
    session, page = tmp_path / "session", free_address().removeprefix("tcp://")
    serving = program(
        "serve", "--connect", bridge(partial_every_s=partial_s).state().url,
        "--record", session, "--publish", free_address(), "--dashboard", page,
        *(() if long else ("--no-refine",)),
    )  # fmt: skip
    wait_for(lambda: f"http://{page}" in serving.said(), PATIENCE_S)
    ends = Ends()
    ends.listening = scan.data_channel_updated_event.listen(ends.note)
    with ThreadPoolExecutor(1) as browser:  # asyncio has no business in Nion's thread
        url = f"http://{page}"
        painting = browser.submit(
            asyncio.run, painted_ms(url, frames, scan.start_playing)
        )
        shown_ms = painting.result()
    scan.stop_playing(sync_timeout=60)
    ends.listening.close()
    late_s = [(a - b) / 1000 for a, b in zip(shown_ms, ends.at_ms[1:], strict=False)]
    analysed = list(analyses(session))
    whole = [each for each in analysed if each.frame.completeness is not PARTIAL]
    partial = [each for each in analysed if each.frame.completeness is PARTIAL]
    report(
        frame_s=frame_s, late_s=[round(each, 3) for each in late_s],
        whole=len(whole), partial=len(partial),
    )  # fmt: skip
    assert len(whole) >= frames
    assert len(partial) >= frames
    for each in analysed:
        assert not each.frame.image[each.frame.valid_rows :].any()
        assert_own_atoms(each, turned)
    assert max(late_s) <= (LATE_AT_MOST_S if long else 20 * LATE_AT_MOST_S)


@dataclass(frozen=True)
class Analysed:
    frame: Frame
    atoms: Atoms


def analyses(session: Path) -> list[Analysed]:
    """Everything that was analysed, partial frames and whole ones."""
    with SessionReader(session) as reader:
        return [
            Analysed(reader.frame(*key), reader.atoms(*key))
            for record in reader.streams()
            for key in reader.analysed(record.stream.id)
        ]


def assert_own_atoms(each: Analysed, seen: Turned) -> None:
    """What is found is what its own rows show; by chance a tenth would be there."""
    rows = each.frame.valid_rows
    number = seen.number(each.frame.image[:rows])
    found = np.column_stack((each.atoms.row_px, each.atoms.col_px))
    there = seen.atoms(number, rows)
    assert not (found[:, 0] >= rows).any()
    if rows < FEWEST_ROWS:
        return
    right = (KDTree(there).query(found)[0] < WITHIN_PX).sum()
    assert right >= 0.97 * len(found)
    assert right >= 0.95 * len(there)
