"""Sessions that an earlier atomstream has written are read, and gone on with."""

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from streamer.analysis import Analysis
from streamer.frame import Frame
from streamer.session.analyst import AnalysisRecorder
from streamer.session.creation import create_session
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder

ANALYSES_OF_VERSION_1 = """
    CREATE TABLE old (
        frame INTEGER PRIMARY KEY REFERENCES frames,
        model INTEGER NOT NULL REFERENCES models,
        provider TEXT NOT NULL,
        pixel_size_nm REAL,              -- what was used
        flags TEXT NOT NULL,             -- JSON list
        counts TEXT NOT NULL,            -- JSON map: species to atoms
        area_nm2 REAL,                   -- NULL for NaN, as all that follow
        density_nm2 REAL,
        hole_area_nm2 REAL,
        bond_length_nm REAL,
        mean_crystallinity REAL,
        stages_ms TEXT NOT NULL,         -- JSON map, in order
        latency_s REAL,
        bytes INTEGER NOT NULL,
        sha256 TEXT NOT NULL
    ) STRICT
"""

type MakeFrame = Callable[..., Frame]
type MakeAnalysis = Callable[..., Analysis]


def make_old(folder: Path) -> None:
    """Take away what version 1 did not have."""
    with closing(sqlite3.connect(folder / "session.sqlite")) as index:
        index.execute(ANALYSES_OF_VERSION_1)
        known = ", ".join(row[1] for row in index.execute("PRAGMA table_info(old)"))
        index.execute(f"INSERT INTO old SELECT {known} FROM analyses")
        index.execute("DROP TABLE analyses")
        index.execute("ALTER TABLE old RENAME TO analyses")
        index.execute("DROP TABLE attempts")
        for column in ("sent_ns", "committed_ns"):
            index.execute(f"ALTER TABLE frames DROP COLUMN {column}")
        index.execute("PRAGMA user_version = 1")
        index.commit()


def version(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "session.sqlite")) as index:
        return int(index.execute("PRAGMA user_version").fetchone()[0])


def columns(folder: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(folder / "session.sqlite")) as index:
        return [row[1] for row in index.execute(f"PRAGMA table_info({table})")]


def tables(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "session.sqlite")) as index:
        named = index.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return sorted(row[0] for row in named)


@pytest.fixture
def old(tmp_path: Path, make_frame: MakeFrame, make_analysis: MakeAnalysis) -> Path:
    with FrameRecorder(tmp_path) as recorder:
        for seq in (0, 1):
            recorder.commit_frame(make_frame(seq), received_ns=seq)
    with AnalysisRecorder(tmp_path) as analyst:
        analyst.commit_analysis(make_analysis(make_frame(0)))
    make_old(tmp_path)
    return tmp_path


def test_one_of_version_1_is_read_and_stays_as_it_is(old: Path) -> None:
    with SessionReader(old) as session:
        assert [key.seq for key in session.pending()] == [1]
        assert session.set_aside() == []
        (record,) = session.analyses(session.streams()[0].stream.id)
    assert record.summary.counts == {"C": 5, "Si": 2}
    assert record.summary.bond_length_nm == 0.142
    assert math.isnan(record.summary.lattice_constant_nm)
    assert record.summary.histograms == {}
    assert record.estimated_pixel_size_nm is None
    assert (record.frame.committed_ns, record.committed_ns) == (None, None)
    assert version(old) == 1


def test_one_of_version_1_is_gone_on_with(
    old: Path, make_frame: MakeFrame, make_analysis: MakeAnalysis
) -> None:
    with SessionReader(old) as session:
        stream_id = session.streams()[0].stream.id
        with AnalysisRecorder(old) as analyst:
            analyst.commit_analysis(make_analysis(make_frame(1)))
        first, second = session.analyses(stream_id)
    assert math.isnan(first.summary.lattice_constant_nm)
    assert second.summary.lattice_constant_nm == 0.246
    assert second.estimated_pixel_size_nm == 0.0156
    assert version(old) == 3


def test_what_is_brought_up_to_date_is_as_if_it_were_new(
    old: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    new = tmp_path_factory.mktemp("new")
    create_session(new)
    create_session(old)
    for table in ("frames", "analyses"):
        assert columns(old, table) == columns(new, table)
    assert tables(old) == tables(new)
    assert version(old) == version(new)
