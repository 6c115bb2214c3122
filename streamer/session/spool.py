"""Frames that the disk does not take: kept in memory, within bounds, for a while.

Files of a file system that lies in memory, so that whoever analyses finds them, and
that they outlive the process that received them.
"""

import errno
import json
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from streamer.errors import SessionError, StorageError
from streamer.frame import Frame
from streamer.session import tiff
from streamer.session.durable import MAX_FILE_BYTES, read_own
from streamer.session.failures import reading, session_failures
from streamer.session.records import FrameKey

SPOOL_BYTES = 512 * 2**20
SHARE = 2
"""No more than one part in so many of what is free there."""
IN_MEMORY = Path("/dev/shm")  # ours is a folder of its own within, 0700
STATE = "state.json"
MAX_NOTE_BYTES = 2**14


class Spooled(NamedTuple):
    """One frame that waits for the disk."""

    key: FrameKey
    received_ns: int
    path: Path


@dataclass(frozen=True, slots=True)
class Shortage:
    """That a session is not recorded, and why."""

    reason: str
    since_ns: int
    """Since 1970 UTC."""


@dataclass
class Spool:
    """Frames of a session that wait for the disk, oldest first.

    Its name can be guessed, so another user may have a folder there first: that one
    is never written to, and counts as empty. One process puts and drops, another one
    reads. Of too many the oldest give way.
    """

    folder: Path
    max_bytes: int = SPOOL_BYTES
    evicted: dict[str, tuple[int, int]] = field(default_factory=dict, init=False)
    """(first, last) of each stream that gave way, in this process."""

    @classmethod
    def of(cls, session: Path) -> "Spool":
        """The spool of a session, the same for every process of this user."""
        base = IN_MEMORY if IN_MEMORY.is_dir() else Path(tempfile.gettempdir())
        name = uuid5(NAMESPACE_URL, str(session.resolve())).hex
        user = os.getuid() if hasattr(os, "getuid") else 0
        return cls(base / f"atomstream-{user}-{name}")

    def put(self, frame: Frame, received_ns: int) -> bool:
        """Whether there was room for a frame."""
        data = tiff.encode(frame)
        name = f"{received_ns:020d}-{frame.stream.id}-{frame.seq}.tif"
        try:
            self._open()
            self._make_room(len(data))
            temporary = self.folder / f"{name}.tmp"
            temporary.write_bytes(data)
            temporary.rename(self.folder / name)
        except (OSError, SessionError):
            self._evict(FrameKey(frame.stream.id, frame.seq))
            return False
        return True

    def frames(self) -> list[Spooled]:
        """What waits, oldest first."""
        with suppress(OSError):
            if not self._is_ours():
                return []
            return sorted(
                filter(None, map(_spooled, self.folder.glob("*.tif"))),
                key=lambda each: (each.received_ns, each.key.seq),
            )
        return []

    def read(self, spooled: Spooled) -> Frame:
        """The frame.

        Raises
        ------
        SessionError
            It is gone, or damaged.
        """
        with reading(spooled.path):
            return tiff.decode(self._content(spooled.path, MAX_FILE_BYTES))

    def drop(self, spooled: Spooled) -> None:
        """Forget a frame."""
        self._remove(spooled.path)

    def tries(self, key: FrameKey) -> int:
        """How often the analysis of a frame was begun and never finished."""
        with suppress(OSError, ValueError):
            return int(self._content(self._tries(key), MAX_NOTE_BYTES))
        return 0

    def begin(self, key: FrameKey) -> None:
        """Note here, where the index cannot, that a frame is tried once more."""
        with suppress(OSError, SessionError):
            self._open()
            self._tries(key).write_text(str(self.tries(key) + 1))

    def finish(self, key: FrameKey) -> None:
        """Nobody died of a frame."""
        self._remove(self._tries(key))

    def say(self, shortage: Shortage | None) -> None:
        """Tell the other processes that the session is not recorded, or is again."""
        path = self.folder / STATE
        if shortage is None:
            self._remove(path)
            return
        with suppress(OSError, SessionError):
            self._open()
            text = json.dumps([shortage.reason, shortage.since_ns])
            temporary = path.with_suffix(".new")
            temporary.write_text(text)
            temporary.rename(path)

    def shortage(self) -> Shortage | None:
        """What was said last; None while the session is recorded."""
        with suppress(OSError, ValueError, TypeError):
            note = self._content(self.folder / STATE, MAX_NOTE_BYTES)
            reason, since_ns = json.loads(note)
            return Shortage(str(reason), int(since_ns))
        return None

    def close(self) -> None:
        """Remove the folder if nothing waits in it."""
        if self._is_ours() and not self.frames():
            with suppress(OSError):
                shutil.rmtree(self.folder)

    def _tries(self, key: FrameKey) -> Path:
        return self.folder / f"{key.stream_id}-{key.seq}.tries"

    def _open(self) -> None:
        """The folder, which nobody else can read or have put there.

        Raises
        ------
        StorageError
            Somebody has.
        """
        with session_failures(self.folder):
            self.folder.mkdir(mode=0o700, exist_ok=True)
        if not self._is_ours():
            raise StorageError(f"{self.folder} is not a folder of this user alone")

    def _is_ours(self) -> bool:
        """Whether the folder is there, and nobody else can read or have put it there.

        The folder above is such that nobody else can move what is ours.
        """
        try:
            found = self.folder.lstat()
        except OSError:
            return False
        if not stat.S_ISDIR(found.st_mode):
            return False
        if not hasattr(os, "getuid"):
            return True
        return found.st_uid == os.getuid() and not stat.S_IMODE(found.st_mode) & 0o077

    def _content(self, path: Path, most_bytes: int) -> bytes:
        """Content of a file in the folder, if that is ours."""
        if not self._is_ours():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return read_own(path, most_bytes)

    def _remove(self, path: Path) -> None:
        """Remove a file of the folder, if that is ours and it can be."""
        if self._is_ours():
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _make_room(self, nbytes: int) -> None:
        waiting = self.frames()
        sizes = [each.path.stat().st_size for each in waiting]
        free = shutil.disk_usage(self.folder).free
        limit = min(self.max_bytes, sum(sizes) + free // SHARE)
        total = sum(sizes) + nbytes
        for each, size in zip(waiting, sizes, strict=True):
            if total <= limit:
                break
            self._evict(each.key)
            self.drop(each)
            total -= size
        if total > limit:
            raise OSError(f"{nbytes} bytes are more than {limit}")

    def _evict(self, key: FrameKey) -> None:
        first, last = self.evicted.get(key.stream_id, (key.seq, key.seq))
        self.evicted[key.stream_id] = min(first, key.seq), max(last, key.seq)


def _spooled(path: Path) -> Spooled | None:
    """What a file's name says; None for one that is not ours."""
    try:
        received, rest = path.stem.split("-", 1)
        stream_id, seq = rest.rsplit("-", 1)
        return Spooled(FrameKey(stream_id, int(seq)), int(received), path)
    except ValueError:
        return None
