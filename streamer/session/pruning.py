"""Sessions that quotas let go: which, and how they go.

One that goes is renamed first, while nobody has a role in it, and then removed: whoever
is killed at it leaves a session that is whole, or one that is clearly going, whose
removal the next one finishes.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from streamer.errors import SessionError
from streamer.session.creation import LOCK_NAME
from streamer.session.durable import TEMPORARY_SUFFIX, flush
from streamer.session.failures import session_failures
from streamer.session.index import FOLDERS
from streamer.session.layout import INDEX_NAME, Layout, is_ours
from streamer.session.notes import NOTES_NAME
from streamer.session.pins import is_pinned
from streamer.session.reader import SessionReader
from streamer.session.roles import Role, is_taken
from streamer.session.spool import Spool

GOING = ".being-removed-"
"""Before the name of a session that goes."""
PRUNE_LOCK = ".prune.lock"
"""In the folder of the sessions."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a session takes, and since when nothing has come to it."""

    folder: Path
    newest_ns: int
    """When its last frame came, since 1970 UTC; without frames, when it was written."""
    nbytes: int
    """Of all files in its folder."""


@dataclass(frozen=True, slots=True)
class Due:
    """A session that is beyond the quotas."""

    session: Stored
    kept: str | None
    """Why it stays all the same; None for one that may go."""


@contextmanager
def alone_at(parent: Path) -> Iterator[None]:
    """Block in which nobody else removes sessions from a folder.

    Raises
    ------
    SessionError
        Somebody does.
    """
    with session_failures(parent), ExitStack() as stack:
        try:
            stack.enter_context(FileLock(parent / PRUNE_LOCK, timeout=0))
        except Timeout:
            raise SessionError(
                f"{parent}: sessions are being removed from it by another process"
            ) from None
        yield


def folders_of_sessions(parent: Path) -> list[Path]:
    """Folders right within `parent` that look like sessions; links are none."""
    with session_failures(parent):
        return [
            path
            for path in sorted(parent.iterdir())
            if not path.name.startswith(GOING)
            and _is_folder(path)
            and _is_own_file(Layout(path).index)
        ]


def leftovers(parent: Path) -> list[Path]:
    """Sessions of which the removal was begun and not finished."""
    with session_failures(parent):
        return [path for path in sorted(parent.glob(f"{GOING}*")) if _is_folder(path)]


def stored(folder: Path) -> Stored:
    """What a session takes.

    Raises
    ------
    SessionError
        It is none, of a newer version, or damaged.
    """
    with session_failures(folder):
        written_ns = Layout(folder).index.stat().st_mtime_ns
        # Before SQLite puts files of its own beside the index, to read it.
        nbytes = sum(path.lstat().st_size for path in _files(folder))
    with SessionReader(folder) as session:
        newest = session.newest(1)
    return Stored(folder, newest[0][0] if newest else written_ns, nbytes)


def due(
    sessions: Iterable[Stored],
    now_ns: int,
    older_than_ns: int | None,
    keep_bytes: int | None,
    why_kept: Callable[[Path], str | None],
) -> list[Due]:
    """The sessions that are beyond the quotas, the oldest first.

    Parameters
    ----------
    older_than_ns
        Sessions to which nothing has come for longer are due; None for none.
    keep_bytes
        All that stay are to have no more together, if that can be; None for any.
    why_kept
        Why a session must stay; asked of those only that are due.
    """
    by_age = sorted(sessions, key=lambda each: (each.newest_ns, each.folder))
    found: dict[Stored, str | None] = {}
    for each in by_age:
        if older_than_ns is not None and now_ns - each.newest_ns > older_than_ns:
            found[each] = why_kept(each.folder)
    total = sum(each.nbytes for each in by_age if found.get(each, "stays"))
    for each in by_age:
        if keep_bytes is None or total <= keep_bytes:
            break
        if each not in found:
            found[each] = why_kept(each.folder)
            total -= 0 if found[each] else each.nbytes
    return [Due(each, found[each]) for each in by_age if each in found]


def why_kept(folder: Path) -> str | None:
    """Why a session must stay, whatever the quotas say; None if it may go."""
    if any(is_taken(folder, role) for role in Role):
        return "something is at work on it"
    return _why_kept_at_rest(folder)


def set_going(folder: Path) -> Path:
    """Take a session's name from it, for good; its new path, to be removed.

    Raises
    ------
    SessionError
        It must stay, or cannot be renamed.
    """
    going = folder.with_name(GOING + folder.name)
    with session_failures(folder), _at_rest(folder):
        kept = _why_kept_at_rest(folder)
        if kept:
            raise SessionError(f"{folder} stays: {kept}")
        folder.rename(going)
        flush(going.parent)
    return going


def remove(going: Path) -> None:
    """Remove what `set_going` has renamed; links in it are not followed.

    Raises
    ------
    SessionError
        Something in it cannot be removed.
    """
    with session_failures(going):
        # First, so that nothing takes the rest for a session.
        Layout(going).index.unlink(missing_ok=True)
        shutil.rmtree(going)


def _why_kept_at_rest(folder: Path) -> str | None:
    if is_pinned(folder):
        return "it is pinned"
    if Spool.of(folder).frames():
        return "frames of it wait in memory until a service records them"
    stranger = next(_strangers(folder), None)
    if stranger:
        return f"it holds what no session has (“{stranger.relative_to(folder)}”)"
    return None


@contextmanager
def _at_rest(folder: Path) -> Iterator[None]:
    """Block in which nobody makes this folder a session, or has a role in it.

    Raises
    ------
    SessionError
        Somebody does.
    """
    names = (LOCK_NAME, *(f".{role}.lock" for role in Role))
    with ExitStack() as stack:
        try:
            for name in names:
                lock = FileLock(folder / name, timeout=0, thread_local=False)
                stack.enter_context(lock)
        except Timeout:
            raise SessionError(f"{folder} stays: something is at work on it") from None
        yield


def _files(folder: Path) -> Iterator[Path]:
    for inside, _, names in os.walk(folder):
        yield from (Path(inside, name) for name in names)


def _strangers(folder: Path) -> Iterator[Path]:
    """What somebody else has put into a session, which is not ours to remove."""
    for path in sorted(folder.iterdir()):
        ours = path.name.startswith((INDEX_NAME, ".")) or path.name == NOTES_NAME
        if not ours and path.name not in FOLDERS:
            yield path
    for name in ("frames", "atoms"):
        with suppress(FileNotFoundError):
            for path in sorted((folder / name).iterdir()):
                if not (is_ours(path) or path.suffix == TEMPORARY_SUFFIX):
                    yield path


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_own_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def total_bytes(sessions: Sequence[Stored]) -> int:
    """Of all of them together."""
    return sum(each.nbytes for each in sessions)
