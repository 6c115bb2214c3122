"""Shows what is in a mailbox, by Nion Swift's own thread, which it leaves in peace."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from threading import Event, Thread
from typing import Any

from streamer.analysis import Analysis
from streamer.errors import AtomstreamError

from .document import show
from .mailbox import Mailbox
from .picture import Picture, picture_of

log = logging.getLogger(__name__)

REST = 9.0
"""After keeping Nion Swift's thread for a second it leaves it alone for so many."""
LOOK_S = 0.2
"""How often it looks whether the window is still there that is to do something."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What has been shown so far, for people."""

    shown: int = 0
    """Analyses."""
    longest_s: float = 0.0
    """For which Nion Swift's thread was kept."""
    problem: str = ""
    """Why the last one was not shown; empty: it was."""


class Showing:
    """Draws in a thread of its own, and hands over to Nion Swift one at a time.

    Parameters
    ----------
    api
        Nion Swift's Facade.
    mailbox
        What is to be shown.
    view
        How, one of `VIEWS`.
    """

    def __init__(self, api: Any, mailbox: Mailbox, view: str) -> None:
        self._api, self._mailbox, self._view = api, mailbox, view
        self.shown = Shown()
        self._closed = Event()
        self._thread = Thread(target=self._run, name="atomstream showing", daemon=True)
        self._thread.start()

    def close(self, wait_s: float = 0.0) -> None:
        """Show nothing more, at once; return after `wait_s` at most."""
        self._closed.set()
        self._mailbox.close()
        self._thread.join(wait_s)

    def _run(self) -> None:
        while (analysis := self._mailbox.take()) is not None:
            try:
                self._show(analysis)
            except Exception as error:  # noqa: BLE001 - Nion Swift must not feel it
                self._fail(error)

    def _show(self, analysis: Analysis) -> None:
        picture = picture_of(analysis, self._view)
        while not self._closed.is_set():
            windows = documents(self._api)
            if windows:
                task = Task(partial(self._change, windows[0], picture))
                if self._is_done(task, windows[0]):
                    self._note(task)
                    return
            else:
                self._closed.wait(LOOK_S)

    def _change(self, window: Any, picture: Picture) -> None:
        # What waited in Nion Swift's queue may have been switched off meanwhile.
        if not self._closed.is_set():
            show(self._api, window.library, picture)

    def _is_done(self, task: "Task", window: Any) -> bool:
        """Have a window do it, and wait; not if it was closed before."""
        window.queue_task(task)
        while not task.is_done.wait(LOOK_S):
            if self._closed.is_set() or window not in documents(self._api):
                return task.is_done.is_set()
        return True

    def _note(self, task: "Task") -> None:
        if task.error is not None:
            self._fail(task.error)
        else:
            longest_s = max(task.lasted_s, self.shown.longest_s)
            self.shown = Shown(self.shown.shown + 1, longest_s)
        self._closed.wait(REST * task.lasted_s)

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, AtomstreamError):
            log.warning("atomstream: results: %s", error, exc_info=error)
        text = str(error) or type(error).__name__
        self.shown = replace(self.shown, problem=text)


def documents(api: Any) -> list[Any]:
    """Windows that show a project; Nion Swift has others, which do not."""
    return [each for each in api.application.document_windows if has_library(each)]


def has_library(window: Any) -> bool:
    """Whether a window shows a project."""
    try:
        return window.library is not None
    except Exception:  # noqa: BLE001 - Nion Swift's windows fail in their own ways
        return False


class Task:
    """Something that is done, and never raises."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self.is_done = Event()
        self.error: Exception | None = None
        self.lasted_s = 0.0

    def __call__(self) -> None:
        """Do it."""
        began_s = time.perf_counter()
        try:
            self._action()
        except Exception as error:  # noqa: BLE001 - Nion Swift must not feel it
            self.error = error
        self.lasted_s = time.perf_counter() - began_s
        self.is_done.set()
