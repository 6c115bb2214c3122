"""A session that somebody else made: read, or refused in one line; never a way out."""

import hashlib
import io
import json
import os
import random
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile

from atomstream.__main__ import main
from atomstream.service.model_in_use import remember
from atomstream.service.model_wish import take_wish
from dashboard.hub import Hub
from dashboard.session_feed import SessionFeed
from dashboard.snapshot import LinkState
from inference.catalogue import DEFAULT, find_model
from inference.model_files import read_model
from streamer.analysis import Analysis
from streamer.errors import AtomstreamError, SessionError
from streamer.frame import Frame, Stream
from streamer.session import atoms_table, tiff
from streamer.session.analyst import AnalysisRecorder
from streamer.session.durable import write_file
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.stacks import open_stack
from streamer.wire import unpack
from tests.chaos.counting import resident_bytes, wanted
from tests.chaos.mutation import VALID, nested

type Spoil = Callable[[Path, Path], object]

type Report = Callable[..., None]

MIB = 2**20
STREAM = Stream("5f0c", "microscope", "HAADF")
PRECIOUS = b"what somebody keeps beside the session"


def frame(seq: int) -> Frame:
    return Frame(STREAM, seq, np.full((16, 24), seq, np.float32), pixel_size_nm=0.02)


def analysis(seq: int) -> Analysis:
    fields = {name: getattr(ANALYSIS, name) for name in Analysis.__slots__}
    return Analysis(**fields | {"stream": STREAM, "seq": seq, "shape": (16, 24)})


ANALYSIS = unpack(VALID["analysis"]).message


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "session"
    with FrameRecorder(folder) as recorder, AnalysisRecorder(folder) as analyst:
        for seq in range(3):
            recorder.commit_frame(frame(seq), received_ns=0)
            analyst.commit_analysis(analysis(seq))
        recorder.commit_gap(STREAM, 3, 4, "no answer", 99)
        recorder.commit_event(0, "recorder", "started")
        recorder.commit_end(STREAM, 5)
    return folder


@pytest.fixture
def session(whole: Path, tmp_path: Path) -> Path:
    """A copy of a whole session, to be spoilt."""
    return Path(shutil.copytree(whole, tmp_path / "runs" / "session"))


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder of somebody's, which nothing may change."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("000007.tif", "precious.tmp", "000009.parquet", "key"):
        (folder / name).write_bytes(PRECIOUS)
    yield folder
    assert {path.name for path in folder.iterdir()} == {
        "000007.tif", "precious.tmp", "000009.parquet", "key",
    }  # fmt: skip
    assert {path.read_bytes() for path in folder.iterdir()} == {PRECIOUS}


@dataclass(frozen=True)
class Outcome:
    code: int
    err: str


type Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    def run_command(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["atomstream", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        code = stop.value.code
        return Outcome(code if isinstance(code, int) else 0, capfd.readouterr().err)

    return run_command


def use_in_every_way(session: Path, run: Run) -> list[Outcome]:
    """All commands that only read a session; each gives a result or one line."""
    out = session.parent.parent / "atoms.csv"
    outcomes = [
        run("sessions", "list", session.parent),
        run("sessions", "show", session),
        run("sessions", "verify", session),
        run("export", session, out, "--overwrite"),
    ]
    for outcome in outcomes:
        said = [line for line in outcome.err.splitlines() if "%" not in line]
        assert outcome.code in (0, 1, 2)
        assert "Traceback" not in outcome.err
        if outcome.code == 2:
            assert said[-1].startswith("atomstream: ")
            assert len(said[-1]) < 1000
    return outcomes


def replay(session: Path) -> None:
    """Read it as a stack."""
    with open_stack(session) as stack:
        for index in range(len(stack)):
            stack.frame(index, STREAM)


def watch(session: Path) -> LinkState:
    """Show it on a page; how the feed ended."""
    hub = Hub("here", time.monotonic)
    with SessionFeed(hub, session):
        deadline = time.monotonic() + 30
        while hub.snapshot.link.state is LinkState.WAITING:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    return hub.snapshot.link.state


def record(session: Path) -> None:
    """Go on with it, as a service does."""
    with FrameRecorder(session) as recorder, AnalysisRecorder(session) as analyst:
        recorder.commit_frame(frame(9), received_ns=0)
        analyst.commit_analysis(analysis(9))


def refusal(session: Path, use: Callable[[Path], None]) -> str:
    """Why a session is refused; nothing if it is not."""
    try:
        use(session)
    except AtomstreamError as error:
        return str(error)
    return ""


def link(name: str, target: str) -> Spoil:
    """Put a link to something outside in place of a file or folder."""

    def spoil(session: Path, outside: Path) -> None:
        path = session / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.symlink_to(outside / target)

    return spoil


LINKS = {
    "the folder of frames": link("frames", "."),
    "the folder of atoms": link("atoms", "."),
    "the folder of models": link("models", "."),
    "the index": link("session.sqlite", "key"),
    "the index's log": link("session.sqlite-wal", "key"),
    "the index's journal": link("session.sqlite-journal", "key"),
    "a lock": link(".recorder.lock", "key"),
    "the lock of its making": link(".creation.lock", "key"),
    "the note of the model": link(".model-in-use.json", "key"),
    "what the note is written to": link("..model-in-use.json.tmp", "key"),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_session_with_links_to_elsewhere_is_refused(
    session: Path, outside: Path, run: Run, name: str
) -> None:
    LINKS[name](session, outside)
    for outcome in use_in_every_way(session, run):
        assert outcome.code == 2
        assert "is a link; a session keeps its files in its own folder" in outcome.err
    for use in (record, watch, replay):
        with pytest.raises(AtomstreamError, match="is a link"):
            use(session)


@pytest.mark.parametrize(
    "name", ["frames/000000.tif", "atoms/000000.parquet", "frames/.000009.tif.tmp"]
)
@pytest.mark.parametrize("target", ["key", "/dev/zero"])
def test_links_among_the_files_are_not_followed(
    session: Path, outside: Path, run: Run, name: str, target: str
) -> None:
    link(name, target)(session, outside)
    assert 1 in {outcome.code for outcome in use_in_every_way(session, run)}
    watch(session)
    record(session)
    assert not (session / "frames" / "000009.tif").is_symlink()


def test_a_temporary_file_that_is_a_link_is_replaced_and_not_written_through(
    session: Path, outside: Path
) -> None:
    (session / ".note.json.tmp").symlink_to(outside / "key")
    write_file(session / "note.json", b"ours")
    assert (session / "note.json").read_bytes() == b"ours"
    assert not (session / "note.json").is_symlink()


def test_a_model_is_not_kept_through_a_link(session: Path, outside: Path) -> None:
    files = read_model(find_model(DEFAULT))
    (session / "models").mkdir()
    (session / "models" / files.sha256).symlink_to(outside)
    with pytest.raises(SessionError, match="is a link"):
        remember(session, "run", DEFAULT, files)


def test_a_pipe_in_a_files_place_is_not_waited_for(session: Path, run: Run) -> None:
    (session / "frames" / "000000.tif").unlink()
    os.mkfifo(session / "frames" / "000000.tif")
    use_in_every_way(session, run)
    assert run("sessions", "verify", session).code == 1
    with pytest.raises(AtomstreamError, match="not a file"):
        replay(session)


@pytest.mark.parametrize("make", ["link", "pipe", "folder", "large"])
def test_a_wish_that_nobody_wrote_is_not_read(
    session: Path, outside: Path, make: str
) -> None:
    path = session / ".model-wish-0.json"
    match make:
        case "link":
            path.symlink_to("/dev/zero")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "large":
            path.write_bytes(b'{"model": "' + b"x" * MIB + b'"}')
    before = resident_bytes()
    assert outside.is_dir()
    assert take_wish(session) is None
    assert resident_bytes() - before < 32 * MIB


def sql(*statements: str) -> Spoil:
    """Change the index by hand."""

    def spoil(session: Path, _outside: Path) -> None:
        with closing(sqlite3.connect(session / "session.sqlite")) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    return spoil


def retyped(table: str, columns: str) -> Spoil:
    """A table of the same name whose columns hold anything."""
    return sql(
        f"ALTER TABLE {table} RENAME TO old",
        f"CREATE TABLE {table} ({columns})",
    )


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
ODD_TABLES = {
    "a view without an end": sql(
        "ALTER TABLE events RENAME TO old",
        f"CREATE VIEW events AS {ENDLESS} SELECT x number, x time_ns, '' kind, "
        "'' text FROM c",
    ),
    "a trigger": sql(
        "CREATE TRIGGER t AFTER INSERT ON frames BEGIN DELETE FROM gaps; END"
    ),
    "a column that is worked out": sql(
        "ALTER TABLE frames ADD COLUMN big BLOB AS (zeroblob(900000000)) VIRTUAL"
    ),
    "names of files": sql(
        "ALTER TABLE frames RENAME TO old",
        "CREATE TABLE frames AS SELECT * FROM old",
        "UPDATE frames SET stream = '../../outside', seq = '../key'",
    ),
    "any types": retyped("events", "number ANY, time_ns ANY, kind ANY, text ANY"),
}


@pytest.mark.parametrize("name", ODD_TABLES)
def test_an_index_that_could_run_something_is_refused(
    session: Path, outside: Path, run: Run, name: str
) -> None:
    ODD_TABLES[name](session, outside)
    for outcome in use_in_every_way(session, run):
        assert outcome.code == 2
        assert "is no session that this program wrote" in outcome.err
    with pytest.raises(SessionError, match="is no session that this program wrote"):
        record(session)


DEEP = json.dumps(nested(900))
ODD_VALUES = {
    "latents that are numbers": sql("UPDATE models SET latents = '[1, [2]]'"),
    "latents that lead out": sql("UPDATE models SET latents = '[\"../../outside\"]'"),
    "latents without an end": sql(f"UPDATE models SET latents = '{DEEP}'"),
    "an angle of nothing": sql("UPDATE models SET angle_period_rad = 0"),
    "counts that are a list": sql("UPDATE analyses SET counts = '[]'"),
    "times that are texts": sql('UPDATE analyses SET stages_ms = \'{"a": "b"}\''),
    "flags that are none": sql("UPDATE analyses SET flags = '[{}]'"),
    "a pixel size below nothing": sql("UPDATE analyses SET pixel_size_nm = -1"),
    "an infinite pixel size": sql("UPDATE frames SET pixel_size_nm = 9e999"),
    "a long text": sql("UPDATE events SET text = CAST(zeroblob(20000000) AS TEXT)"),
    "gaps of any length": sql(
        "INSERT INTO gaps VALUES (9, 0, -9223372036854775807, 9223372036854775807, "
        "'', 0), (10, 0, 0, 9223372036854775806, '', 0)"
    ),
    "frames below nothing": sql("UPDATE frames SET seq = -seq - 1"),
    "huge numbers": sql("UPDATE frames SET seq = 9223372036854775807 - seq"),
    "other streams": sql("UPDATE frames SET stream = 77"),
    "sizes of any kind": sql("UPDATE frames SET bytes = 9223372036854775807"),
    "many events": sql(
        f"INSERT INTO events {ENDLESS} SELECT x + 9, x, 'a', 'b' FROM c LIMIT 2000"
    ),
    "no tables": sql("DROP TABLE events", "DROP TABLE gaps"),
}


@pytest.mark.parametrize("name", ODD_VALUES)
def test_values_that_we_never_write_are_read_or_refused(
    session: Path, outside: Path, run: Run, name: str
) -> None:
    ODD_VALUES[name](session, outside)
    before = resident_bytes()
    use_in_every_way(session, run)
    watch(session)
    for use in (replay, record):
        assert "\n" not in refusal(session, use)
    assert resident_bytes() - before < 128 * MIB


def replaced(name: str, table: str, data: bytes) -> Spoil:
    """Other bytes in a file's place, with the checksum that they have."""

    def spoil(session: Path, outside: Path) -> None:
        (session / name).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        sql(f"UPDATE {table} SET bytes = {len(data)}, sha256 = '{digest}'")(
            session, outside
        )

    return spoil


def packed_tiff() -> bytes:
    """A few bytes that are 128 MiB of zeros, described as a frame of ours."""
    with tifffile.TiffFile(io.BytesIO(tiff.encode(frame(0)))) as file:
        description = file.pages.first.description
    out = io.BytesIO()
    tifffile.imwrite(
        out, np.zeros((2048, 16_384), np.float32), compression="zlib",
        description=description, metadata=None,
    )  # fmt: skip
    return out.getvalue()


def packed_table(rows: int) -> bytes:
    """A table of very many rows in a few bytes."""
    out = io.BytesIO()
    column = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(rows, np.int8)), pa.array(["C"])
    )
    pq.write_table(pa.table({"species": column}), out, compression="zstd")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "table", "make"),
    [
        pytest.param("frames/000000.tif", "frames", packed_tiff, id="frame"),
        pytest.param(
            "atoms/000000.parquet", "analyses", lambda: packed_table(30_000_000),
            id="table",
        ),
    ],
)  # fmt: skip
def test_a_small_file_that_becomes_large_is_refused(
    session: Path, outside: Path, name: str, table: str, make: Callable[[], bytes]
) -> None:
    data = make()
    assert len(data) < MIB
    replaced(name, table, data)(session, outside)
    before = resident_bytes()
    with SessionReader(session) as reader, pytest.raises(SessionError):
        reader.analysis(STREAM.id, 0)
    assert resident_bytes() - before < 64 * MIB
    watch(session)


def test_a_file_with_a_hole_of_a_terabyte_is_not_read(
    session: Path, outside: Path, run: Run
) -> None:
    with (session / "frames" / "000000.tif").open("r+b") as file:
        file.truncate(2**40)
    sql(f"UPDATE frames SET bytes = {2**40 - 1}")(session, outside)
    before = resident_bytes()
    assert run("sessions", "verify", session).code == 1
    assert resident_bytes() - before < 32 * MIB


@pytest.mark.timeout(1800)
def test_mutated_files_of_a_session_are_read_or_refused(
    whole: Path, tmp_path: Path, pytestconfig: pytest.Config, report: Report
) -> None:
    count = wanted(pytestconfig, 40, 3_000)
    refused = 0
    before = resident_bytes()
    for seed in range(count):
        rng = random.Random(seed)
        folder = Path(shutil.copytree(whole, tmp_path / "mutant"))
        files = sorted(path for path in folder.rglob("*") if path.stat().st_size)
        path = rng.choice([path for path in files if path.is_file()])
        data = bytearray(path.read_bytes())
        for _ in range(rng.choice([1, 3, 30, 300])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
        for use in (replay, record):
            said = refusal(folder, use)
            refused += said != ""
            assert "\n" not in said
        shutil.rmtree(folder)
    grown = resident_bytes() - before
    report(count=count, refused=refused,
        grown_mib=round(grown / MIB, 1),
    )  # fmt: skip
    assert refused > count / 4
    assert grown < 64 * MIB


def test_a_table_as_large_as_a_frame_may_have_is_read() -> None:
    rows = atoms_table.MAX_ROWS
    assert atoms_table.decode(packed_table(rows)).num_rows == rows
    with pytest.raises(ValueError, match="a table of"):
        atoms_table.decode(packed_table(rows + 1))
