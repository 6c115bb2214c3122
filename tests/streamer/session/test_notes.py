"""What viewers write is kept, and what others put in its place is survived."""

import json
import multiprocessing
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import StorageError
from streamer.session import notes
from streamer.session.notes import (
    MOST_BYTES,
    MOST_CHARACTERS,
    MOST_LINE_BYTES,
    MOST_NOTES,
    NOTES_NAME,
    Note,
    append_note,
    decoded,
    encoded,
    notes_state,
    read_notes,
    written_note,
)

MOMENT_NS = 1_795_813_635_123 * 10**6
NOTE = Note(MOMENT_NS, "stream-1", 12, "a hole opens")
GOOD = {"time": "2026-11-27T21:07:15.123+00:00", "stream": "s", "seq": 1, "text": "t"}


def line(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_notes_come_back_in_the_order_in_which_they_were_written(
    tmp_path: Path,
) -> None:
    other = Note(MOMENT_NS + 10**9, "stream-2", 0, 'Ångström "quoted" \\ 原子')
    for note in (NOTE, other):
        append_note(tmp_path, note)
    assert read_notes(tmp_path).notes == (NOTE, other)
    assert read_notes(tmp_path).skipped == 0


def test_a_line_is_json_that_people_can_read() -> None:
    fields = json.loads(encoded(NOTE))
    moment = datetime.fromisoformat(fields.pop("time"))
    assert moment == datetime.fromtimestamp(MOMENT_NS / 1e9, UTC)
    assert fields == {"stream": "stream-1", "seq": 12, "text": "a hole opens"}


def test_a_session_without_notes_has_none(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == notes.Notes()
    assert notes_state(tmp_path) is None


def test_the_state_changes_with_each_note(tmp_path: Path) -> None:
    append_note(tmp_path, NOTE)
    before = notes_state(tmp_path)
    assert notes_state(tmp_path) == before
    append_note(tmp_path, NOTE)
    assert notes_state(tmp_path) != before


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  two \t words\n", "two words"),
        ("bell \a and \x1b[31m colour", "bell and [31m colour"),
        ("x" * 1000, "x" * MOST_CHARACTERS),
        ("half \ud800 a letter", "half a letter"),
        (" \n\x00 ", None),
        ("", None),
    ],
)
def test_what_is_typed_becomes_a_line_that_can_be_shown(
    typed: str, kept: str | None
) -> None:
    note = written_note("s", 3, typed, MOMENT_NS)
    assert (None if note is None else note.text) == kept


@given(st.text(max_size=2 * MOST_CHARACTERS))
def test_every_note_that_is_written_can_be_read(typed: str) -> None:
    note = written_note("s", 3, typed, MOMENT_NS)
    if note is not None:
        found = decoded(encoded(note), Path("notes"))
        assert (found.notes, found.skipped) == ((note,), 0)


BAD = [
    pytest.param(b"{", id="half a line"),
    pytest.param(b"[]", id="no object"),
    pytest.param(b"\xff\xfe", id="no text"),
    pytest.param(b"[" * 4000, id="nested"),
    pytest.param(line(seq="1"), id="a number in words"),
    pytest.param(line(seq=True), id="a truth as number"),
    pytest.param(line(seq=-1), id="before the first"),
    pytest.param(line(seq=2**63), id="beyond every frame"),
    pytest.param(b'{"seq": ' + b"9" * 4000 + b"}", id="a very long number"),
    pytest.param(line(text=""), id="blank"),
    pytest.param(line(text="x" * (MOST_CHARACTERS + 1)), id="too long"),
    pytest.param(line(text="\x1b[2J"), id="for the terminal"),
    pytest.param(line(text="\ud800"), id="half a letter"),
    pytest.param(line(text=["t"]), id="a list as text"),
    pytest.param(line(stream="s" * 201), id="a long stream"),
    pytest.param(line(time="yesterday"), id="no time"),
    pytest.param(line(time="0001-01-01T00:00:00+14:00"), id="before all time"),
    pytest.param(line(time=7), id="a number as time"),
    pytest.param(json.dumps({"text": "t"}).encode(), id="the rest is missing"),
    pytest.param(line(more="x" * MOST_LINE_BYTES), id="a long line"),
]


@pytest.mark.parametrize("bad", BAD)
def test_lines_that_are_no_notes_are_skipped_and_counted(
    bad: bytes, tmp_path: Path
) -> None:
    path = tmp_path / NOTES_NAME
    path.write_bytes(encoded(NOTE) + bad + b"\n" + encoded(NOTE))
    found = read_notes(tmp_path)
    assert (found.notes, found.skipped) == ((NOTE, NOTE), 1)


@given(st.binary(max_size=2000))
def test_whatever_is_in_the_file_is_survived(data: bytes) -> None:
    found = decoded(data, Path("notes"))
    assert all(0 < len(note.text) <= MOST_CHARACTERS for note in found.notes)


def test_of_very_many_notes_the_newest_are_read(tmp_path: Path) -> None:
    lines = [line(seq=seq) + b"\n" for seq in range(MOST_NOTES + 5)]
    (tmp_path / NOTES_NAME).write_bytes(b"".join(lines))
    found = read_notes(tmp_path)
    assert [found.notes[0].seq, found.notes[-1].seq] == [5, MOST_NOTES + 4]
    assert found.skipped == 5


def test_a_huge_file_is_read_to_a_limit_and_takes_no_more(tmp_path: Path) -> None:
    path = tmp_path / NOTES_NAME
    path.write_bytes(encoded(NOTE) + b"\n" * MOST_BYTES)
    found = read_notes(tmp_path)
    assert found.notes == (NOTE,)
    assert "it has more" in found.problem
    with pytest.raises(StorageError, match="it is full"):
        append_note(tmp_path, NOTE)


def test_a_writer_that_was_stopped_in_the_middle_costs_its_own_note_only(
    tmp_path: Path,
) -> None:
    (tmp_path / NOTES_NAME).write_bytes(encoded(NOTE)[:20])
    append_note(tmp_path, NOTE)
    found = read_notes(tmp_path)
    assert (found.notes, found.skipped) == ((NOTE,), 1)


def test_a_link_is_neither_read_nor_written(tmp_path: Path) -> None:
    session, secret = tmp_path / "session", tmp_path / "secret"
    session.mkdir()
    secret.write_bytes(encoded(NOTE))
    (session / NOTES_NAME).symlink_to(secret)
    assert read_notes(session).notes == ()
    assert "is not read: it is a link" in read_notes(session).problem
    with pytest.raises(StorageError, match="it is a link"):
        append_note(session, NOTE)
    assert secret.read_bytes() == encoded(NOTE)


@pytest.mark.parametrize("what", ["pipe", "folder"])
def test_what_is_no_file_does_not_hold_anybody_up(tmp_path: Path, what: str) -> None:
    path = tmp_path / NOTES_NAME
    if what == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert read_notes(tmp_path).notes == ()
    assert "is not read" in read_notes(tmp_path).problem
    with pytest.raises(StorageError):
        append_note(tmp_path, NOTE)


def write_many(folder: Path, writer: int) -> None:
    for seq in range(50):
        append_note(folder, Note(MOMENT_NS, f"writer-{writer}", seq, "x" * 200))


def test_several_dashboards_write_at_the_same_time(tmp_path: Path) -> None:
    start = multiprocessing.get_context("spawn")
    writers = [start.Process(target=write_many, args=(tmp_path, n)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    found = read_notes(tmp_path)
    assert (len(found.notes), found.skipped) == (150, 0)
    for n in range(3):
        mine = [note.seq for note in found.notes if note.stream_id == f"writer-{n}"]
        assert mine == list(range(50))
