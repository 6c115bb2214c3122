"""What viewers have written about frames of a session, in a file of its own.

Dashboards alone write it, any number of them, each note in one piece at its end; the
session's index knows nothing of it. Whoever has the folder may have written anything
there: what is read is as strange as what comes over a network.
"""

import errno
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from streamer.errors import StorageError
from streamer.session.durable import flush, own_file

NOTES_NAME = "notes.jsonl"

MOST_CHARACTERS = 280
"""Of one note."""

MOST_NOTES = 1000
"""Of a session; of more in the file, the oldest are not shown."""

MOST_BYTES = 1 << 20
"""Of the file; what lies beyond is not read."""

MOST_LINE_BYTES = 4096
"""The longest note, every character escaped, and what is said beside it."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

MOST_ID_CHARACTERS = 200
MOST_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote about a frame."""

    time_ns: int
    """When, since 1970 UTC, in whole milliseconds."""
    stream_id: str
    seq: int
    text: str
    """1 to `MOST_CHARACTERS` printable characters."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What is in a file of notes."""

    notes: tuple[Note, ...] = ()
    """In the order in which they were written, the newest `MOST_NOTES`."""
    skipped: int = 0
    """Lines that are no notes, or too many."""
    problem: str = ""
    """Why there is nothing, or not all; "" if nothing is wrong with the file."""


def written_note(stream_id: str, seq: int, text: str, time_ns: int) -> Note | None:
    """A note of what a viewer typed, in one line; None if nothing is left of it.

    What cannot be printed goes, and so does what is beyond `MOST_CHARACTERS`.
    """
    start = text[: 4 * MOST_CHARACTERS]
    printable = "".join(c if c.isprintable() else " " for c in start)
    line = " ".join(printable.split())[:MOST_CHARACTERS].rstrip()
    whole_ms = time_ns // 10**6 * 10**6
    return Note(whole_ms, stream_id, seq, line) if line else None


def append_note(folder: Path, note: Note) -> None:
    """Keep one more note of a session; when this returns, it is on the disk.

    Raises
    ------
    StorageError
        The disk does not take it, the file is full or is none of ours.
    """
    path = folder / NOTES_NAME
    try:
        _append(path, encoded(note))
    except OSError as error:
        raise StorageError(f"{path} takes no note: {_reason(error)}") from error


def read_notes(folder: Path) -> Notes:
    """The notes of a session; none where there is no file of them."""
    path = folder / NOTES_NAME
    try:
        with own_file(path) as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return Notes()
    except OSError as error:
        return Notes(problem=f"{path} is not read: {_reason(error)}")
    return decoded(data, path)


def _reason(error: OSError) -> str:
    """In words; the system's for a link that is not followed speak of many."""
    return "it is a link" if error.errno == errno.ELOOP else str(error.strerror)


def notes_state(folder: Path) -> tuple[int, int] | None:
    """Something that is another when there are other notes; None without a file."""
    try:
        found = (folder / NOTES_NAME).lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def encoded(note: Note) -> bytes:
    """The line of one note."""
    when = EPOCH + note.time_ns // 10**6 * MILLISECOND
    fields = {
        "time": when.isoformat(timespec="milliseconds"),
        "stream": note.stream_id,
        "seq": note.seq,
        "text": note.text,
    }
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def decoded(data: bytes, path: Path) -> Notes:
    """What `data`, the beginning of the file at `path`, says."""
    problem = ""
    if len(data) > MOST_BYTES:
        problem = f"{path} is read to {MOST_BYTES} bytes only, it has more"
        data = data[: data.rfind(b"\n", 0, MOST_BYTES) + 1]
    lines = [line for line in data.split(b"\n") if line.strip()]
    notes = list(_notes(lines))
    return Notes(
        notes=tuple(notes[-MOST_NOTES:]),
        skipped=len(lines) - min(len(notes), MOST_NOTES),
        problem=problem,
    )


def _notes(lines: list[bytes]) -> Iterator[Note]:
    for line in lines:
        if len(line) > MOST_LINE_BYTES:
            continue
        try:
            yield _note(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            continue


def _note(fields: object) -> Note:
    """A note, whatever else is said beside it.

    Raises
    ------
    ValueError
        It is none.
    KeyError
        Something is missing.
    """
    if not isinstance(fields, dict):
        raise ValueError("not an object")
    when, stream_id = fields["time"], fields["stream"]
    seq, text = fields["seq"], fields["text"]
    if not (_is_line(stream_id, MOST_ID_CHARACTERS) and _is_line(text)):
        raise ValueError("a text that is none")
    if type(seq) is not int or not 0 <= seq <= MOST_SEQ:
        raise ValueError("not the number of a frame")
    since = datetime.fromisoformat(when).astimezone(UTC) - EPOCH
    return Note(since // MILLISECOND * 10**6, stream_id, seq, text)


def _is_line(text: object, most: int = MOST_CHARACTERS) -> bool:
    """Whether it can be shown as it is: nothing that a terminal or page would obey."""
    return isinstance(text, str) and 0 < len(text) <= most and text.isprintable()


def _append(path: Path, line: bytes) -> None:
    """Write `line` after the last one, in one piece, and wait until it is kept.

    Raises
    ------
    OSError
        It cannot be.
    """
    new = not path.exists()
    flags = os.O_APPEND | os.O_CREAT | os.O_RDWR | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags, 0o644)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a file")
        if found.st_size + len(line) + 1 > MOST_BYTES:
            raise OSError(errno.EFBIG, "it is full")
        if found.st_size:
            os.lseek(descriptor, -1, os.SEEK_END)
            if os.read(descriptor, 1) != b"\n":
                line = b"\n" + line  # whoever wrote before was stopped in the middle
        if os.write(descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        flush(path.parent)
