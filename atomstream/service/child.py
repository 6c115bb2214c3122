"""A process of the service as its parent has it: started, watched, stopped.

On Linux processes are copied from one that has imported everything, so that what dies
is back in a fraction of the seconds that importing takes. It also passes on how its
copies end. When it dies itself they go on: from then on their pipes say that they live.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Self

from atomstream.service.process import (
    BAD_INPUT,
    DONE,
    PARENTS_ONLY,
    REFUSED,
    STOP,
    WORKS,
    Circumstances,
    Task,
    run,
)

LOST = 255
"""Exit code where nobody has seen the end."""
LONGEST_WORD_BYTES = 16
KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL
WARM = (
    "atomstream.__main__",
    "atomstream.service.receiving",
    "inference.card",
    "pyarrow.parquet",
    "scipy.fft",
    "scipy.linalg",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.spatial",
)
"""What takes long to import and may be copied: not ONNX Runtime, which has a thread."""


@dataclass(slots=True)
class Child:
    """A running process, and the pipe to it: a word there, or its end, says stop."""

    name: str
    process: BaseProcess
    pipe: Connection
    _theirs: Connection
    """The other end, until the process has it."""
    has_progressed: bool = field(default=False, init=False)
    """Whether it has said that it achieved something."""
    _last_word: bytes | None = field(default=None, init=False)
    _has_hung_up: bool = field(default=False, init=False)

    @classmethod
    def of(cls, name: str, task: Task, around: Circumstances) -> Self:
        """A process of its own for `task`, which must be picklable."""
        theirs, ours = multiprocessing.Pipe()
        arguments = (name, task, theirs, around)
        process: BaseProcess
        if sys.platform == "linux":
            process = multiprocessing.get_context("forkserver").Process(
                target=run, args=arguments, name=name
            )
        else:
            process = multiprocessing.get_context("spawn").Process(
                target=run, args=arguments, name=name
            )
        return cls(name, process, ours, theirs)

    def start(self) -> None:
        """Start it; where that is broken off, it may come nevertheless.

        Raises
        ------
        OSError, EOFError
            It cannot be: the process to copy from has just died, for instance.
        """
        keep_ready()
        with self._theirs, _start_signals():
            self.process.start()

    def stop(self) -> None:
        """Tell it to finish what it is doing and to end."""
        with suppress(OSError):  # it has ended
            self.pipe.send_bytes(STOP)

    @property
    def is_orphan(self) -> bool:
        """Whether it lives, but the process it was copied from has died."""
        return self.process.exitcode == LOST and not self._has_hung_up

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        code = self.process.exitcode
        self._listen()
        if self._is_seen():
            return code
        if not self._has_hung_up:
            return None
        return {DONE: 0, REFUSED: BAD_INPUT}.get(self._last_word or b"", LOST)

    def news(self) -> Connection | int:
        """What to wait for: then something about it has changed."""
        return self.process.sentinel if self._is_seen() else self.pipe

    def _is_seen(self) -> bool:
        """Whether somebody sees it end; nobody, where its start was broken off."""
        return self.process.pid is not None and self.process.exitcode != LOST

    def join(self, timeout_s: float) -> bool:
        """Whether it has ended, or does so in time."""
        deadline_s = time.monotonic() + timeout_s
        while self.poll() is None:
            remaining_s = deadline_s - time.monotonic()
            if remaining_s <= 0:
                return False
            wait([self.news()], remaining_s)
        return True

    def kill(self) -> None:
        """End it now, whatever it is doing."""
        if self.poll() is None and self.process.pid:
            # Its end of the pipe is open, so the number is still its own.
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, KILL)

    def _listen(self) -> None:
        try:
            while self.pipe.poll():
                word = self.pipe.recv_bytes(LONGEST_WORD_BYTES)
                self.has_progressed |= word == WORKS
                self._last_word = word
        except (EOFError, OSError):
            self._has_hung_up = True


def warm_up(modules: tuple[str, ...] = ()) -> None:
    """Say what processes will need; before the first is started."""
    if sys.platform == "linux":
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*WARM, *modules])


def keep_ready() -> None:
    """Have a process to copy from: start one if there is none, and do not wait for it.

    One that was killed a moment ago may still seem to be there.
    """
    if sys.platform == "linux":
        from multiprocessing import forkserver

        with _ignored_signals():
            forkserver.ensure_running()


def _start_signals() -> AbstractContextManager[None]:
    # A copy has the signals of what it is copied from.
    return nullcontext() if sys.platform == "linux" else _ignored_signals()


@contextmanager
def _ignored_signals() -> Iterator[None]:
    """Block in which a process is started that Ctrl-C and SIGTERM do not reach.

    They reach every process of a terminal or a group; only the parent acts on them.
    The child inherits that from its first moment on.
    """
    before = [(each, signal.signal(each, signal.SIG_IGN)) for each in PARENTS_ONLY]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
