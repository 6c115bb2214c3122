"""What `atomstream report` writes, and what it leaves alone."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from PIL import Image

from streamer.session.export import export
from streamer.session.reader import SessionReader
from tests.atomstream.report.sessions import Page

pytestmark = pytest.mark.timeout(600)
type Run = Callable[..., Any]
type Reported = Callable[..., Page]
FIGURES = {
    "probabilities-000000",
    "probabilities-000002",
    "probabilities-000003",
    "steps",
    "real-space",
    "angle",
    "latents",
    "trends",
    "silicon",
}


PROGRAM = """
import sys
from atomstream.__main__ import main
try:
    main()
except SystemExit as stop:
    there = [f"matplotlib.{name}" in sys.modules for name in ("figure", "pyplot")]
    print(stop.code, *there)
"""


@dataclass(frozen=True)
class Done:
    """A report that was made by a process of its own."""

    page: Page
    said: str


@pytest.fixture(scope="module")
def done(session: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    out = tmp_path_factory.mktemp("reports") / "report"
    command = ["report", str(session), str(out), "--dpi", "50"]
    made = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command],
        check=True,
        capture_output=True,
        text=True,
    )
    return Done(Page(out / "index.html"), made.stdout)


@pytest.fixture
def page(done: Done) -> Page:
    return done.page


def test_every_figure_is_there_as_a_picture_and_as_a_drawing(page: Page) -> None:
    assert page.figures >= FIGURES
    for name in page.figures:
        png, svg = (page.folder / "figures" / f"{name}.{end}" for end in ("png", "svg"))
        with Image.open(png) as image:
            colours = image.convert("RGB").getcolors(2**20)
        assert colours is not None
        assert len(colours) > 50, name
        assert b"</svg>" in svg.read_bytes()[-20:]


def test_the_page_needs_nothing_but_itself(page: Page) -> None:
    assert len(page.sources) == len(page.figures)
    assert all(source.startswith("data:image/") for source in page.sources)
    words = re.sub(r'"data:image/[^"]+"', "", page.html)  # may spell anything
    assert "http" not in words.replace("http://www.w3.org", "")
    for link in page.links:
        inside = link.startswith("#") and f'id="{link[1:]}"' in page.html
        assert inside or (page.folder / link).is_file(), link


def test_every_file_is_named_with_its_hash(page: Page) -> None:
    said = page.manifest["files"]
    there = {
        path.relative_to(page.folder).as_posix()
        for path in page.folder.rglob("*")
        if path.is_file()
    }
    assert isinstance(said, dict)
    assert said.keys() == there - {"report.json"}


def test_numbers_are_those_of_the_session(
    page: Page, session: Path, tmp_path: Path
) -> None:
    trends = page.table("trends").to_pydict()
    with SessionReader(session) as reader:
        (stream,) = reader.streams()
        records = reader.analyses(stream.stream.id)
        export(reader, tmp_path / "atoms.parquet")
    assert trends["c"] == [record.summary.counts["C"] for record in records]
    assert trends["hole_area_nm2"] == [r.summary.hole_area_nm2 for r in records]
    silicon = sum(record.summary.counts["Si"] for record in records)
    assert len(page.table("silicon")) == silicon > 0
    atoms = pq.read_table(tmp_path / "atoms.parquet")
    assert (
        len(page.table("atoms-000003")) == pc.sum(pc.equal(atoms["frame"], 3)).as_py()
    )
    whole = atoms.filter(
        pc.and_(pc.invert(atoms["edge"]), atoms["angle_rad"].is_valid())
    )
    assert pc.sum(page.table("angle-histogram")["atoms"]).as_py() == len(whole) > 0


def test_methods_name_all_that_the_report_rests_on(page: Page) -> None:
    methods = (page.folder / "methods.txt").read_text()
    models = page.table("models").to_pydict()
    assert set(models["file"]) == {
        "card.json", "dcnn.onnx", "encoder.onnx", "decoder.onnx",
    }  # fmt: skip
    assert models["sha256"][0] in methods
    for said in ("4 frames of 150 x 150", "5f0c0000", "0.35", "1.2 nm", "numpy"):
        assert said in methods
    assert all(paragraph in page.text for paragraph in methods.split("\n\n")[:1])


def test_the_command_on_the_page_makes_the_same_report_again(
    page: Page, run: Run
) -> None:
    before = page.manifest
    words = shlex.split(str(before["command"]))
    assert words[:2] == ["atomstream", "report"]
    assert run(*words[1:]).code == 0
    assert page.manifest == before


def test_the_page_alone_can_be_sent_away_with_the_frames_that_were_asked_for(
    session: Path, reported: Reported
) -> None:
    page = reported(session, "--page-only", "--frames", "1, 2")
    assert len(page.sources) > 5
    assert "Frame 1: what the network sees" in page.text
    assert "Frame 0: what" not in page.text
    assert all(link.startswith("#") for link in page.links)
    there = {path.name for path in page.folder.iterdir()}
    assert there == {"index.html", "methods.txt", "report.json"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--frames", "7"], "frame 7 is not analysed; analysed are 0 to 3"),
        (["--frames", "one"], "expected numbers of frames"),
        (["--stream", "9"], "no stream '9'"),
    ],
)
def test_what_cannot_be_reported_is_refused_in_one_line(
    session: Path, run: Run, tmp_path: Path, options: list[str], words: str
) -> None:
    refused = run("report", session, tmp_path / "report", *options)
    assert refused.code == 2
    assert words in refused.err
    assert refused.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="signals are not sent so on Windows")
def test_ctrl_c_leaves_nothing_half_written(
    session: Path,
    spawn: Callable[..., subprocess.Popen[str]],
    wait_for: Callable[..., None],
    tmp_path: Path,
) -> None:
    process = spawn("report", session, tmp_path / "report", "--dpi", "50")
    wait_for(lambda: any(tmp_path.glob(".report.*/figures/*.png")), 200)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    assert "Traceback" not in out
    assert list(tmp_path.iterdir()) == []


def test_without_what_draws_it_says_what_to_install(
    session: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    refused = run("report", session, tmp_path / "report")
    assert refused.code == 2
    assert "needs matplotlib; install it with: uv sync --extra report" in refused.err


def test_a_window_is_never_opened(done: Done) -> None:
    """Where pyplot is, it keeps every figure, and chooses a window system."""
    assert done.said.splitlines()[-1] == "0 True False"
