"""Sessions of small simulated frames, and reports of them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from inference.analyse import Analyser, History
from inference.model import load_model
from streamer.frame import Frame, Stream
from streamer.session.analyst import AnalysisRecorder
from streamer.session.recorder import FrameRecorder
from streamer.simulator.microscope import scaled_microscope
from streamer.simulator.movie import Movie, simulate

STREAM = Stream("5f0c0000", "simulator", "HAADF")
EPOCH_NS = 1_700_000_000 * 10**9
DEFAULT, PAPER = "graphene-si", "graphene-si-paper"


class Page(HTMLParser):
    """What a page holds, and what it leads to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.folder = path.parent
        self.sources: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.html = path.read_text(encoding="utf-8")
        self.feed(self.html)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.sources += [known["src"] or ""] if "src" in known else []
        self.links += [known["href"] or ""] if "href" in known else []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def figures(self) -> set[str]:
        return {path.stem for path in self.folder.glob("figures/*.png")}

    def table(self, name: str) -> pa.Table:
        return pyarrow.csv.read_csv(self.folder / "tables" / f"{name}.csv")

    @property
    def manifest(self) -> dict[str, object]:
        return json.loads((self.folder / "report.json").read_text())


@cache
def analyser(model: str) -> Analyser:
    return Analyser(load_model(model, threads=1), refine=False)


@cache
def exposures(count: int, side_px: int, field_nm: float) -> tuple[Frame, ...]:
    """Frames of a sheet that comes apart, with Si in each of them."""
    microscope = scaled_microscope(side_px, field_nm, 1.0)
    movie = Movie(count, microscope=microscope, blob_radius_nm=0)
    growth = replace(movie.growth, silicon_per_nm2=0.5, holes_per_nm2=0.05)
    each = simulate(replace(movie, growth=growth), seed=1)
    return tuple(one.frame(STREAM, EPOCH_NS) for one in each)


@dataclass(frozen=True)
class Making:
    """A session in the making."""

    folder: Path
    frames: FrameRecorder
    analyses: AnalysisRecorder

    def add(self, frame: Frame, model: str | None = DEFAULT) -> None:
        """Commit a frame, and what a model finds in it."""
        self.frames.commit_frame(frame, EPOCH_NS + frame.seq)
        if model is None:
            return
        start_ns, dose = frame.start_ns, frame.dose_e_nm2
        history = History(
            float("nan") if start_ns is None else (start_ns - EPOCH_NS) / 1e9,
            float("nan") if dose is None else dose * (frame.seq + 1),
        )
        self.analyses.commit_analysis(analyser(model).analyse(frame, history))

    def end(self, total: int, stream: Stream = STREAM) -> None:
        self.frames.commit_end(stream, total)


@contextmanager
def made(folder: Path) -> Iterator[Making]:
    with FrameRecorder(folder) as frames, AnalysisRecorder(folder) as analyses:
        yield Making(folder, frames, analyses)


def record(folder: Path, frames: Iterable[Frame], models: Sequence[str]) -> Path:
    """A whole session: the nth frame by the nth model."""
    with made(folder) as making:
        for frame, model in zip(frames, models, strict=True):
            making.add(frame, model)
        making.end(len(models))
    return folder


def blank(seq: int) -> Frame:
    """A frame in which there is nothing."""
    return Frame(STREAM, seq, np.zeros((150, 150), np.float32), pixel_size_nm=0.02)
