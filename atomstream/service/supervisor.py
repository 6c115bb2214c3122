"""The process that minds the others: starts them, restarts what dies, stops them."""

import logging
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from types import FrameType

from atomstream.service.post import LOST, Post
from atomstream.service.process import DRAIN_S, Child, Task

log = logging.getLogger("service")
LOST_S = 1.0
"""Until that is sure to be noticed: a copy asked for meanwhile would never come."""
LOOK_S = 0.1
"""Between two looks whether it is time for one that waits to be started."""


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Minds one process a task.

    When a process ends by itself the work is done, and the others are stopped. When
    it dies, or says that it cannot go on, it is started again; one that never achieved
    anything ends the service.
    """

    tasks: Mapping[str, Task]
    """In the order in which they are started, also all of them together again."""
    on_hangup: Callable[[], None] | None = None
    """Called at SIGHUP; None to leave that signal alone."""

    def run(self) -> None:
        """Return when the work is done or a signal says to stop.

        Raises
        ------
        ServiceError
            A process that has not achieved anything yet refused its input, or died
            `CRASHES_ALLOWED` times in a minute.
        """
        posts = [Post(name, task) for name, task in self.tasks.items()]
        with _signals_interrupt(), _hangup_calls(self.on_hangup):
            try:
                mind(posts)
            except KeyboardInterrupt:
                log.info("stopping")
            finally:
                stop_all([post.child for post in posts if post.child])


def mind(posts: Sequence[Post]) -> None:
    """Return when one has done its work; start the others again meanwhile."""
    while True:
        for post in posts:
            post.start_if_due()
        wait(
            [post.child.process.sentinel for post in posts if post.child],
            None if all(post.child for post in posts) else LOOK_S,
        )
        if any(post.exit_code == 0 for post in posts):
            return
        if any(post.exit_code == LOST for post in posts):
            time.sleep(LOST_S)
        for post in posts:
            if post.exit_code is not None:
                post.give_up_child()


def stop_all(children: Collection[Child]) -> None:
    """Let every process finish what it is doing; kill those that cannot."""
    for child in children:
        child.stop()
    deadline = time.monotonic() + DRAIN_S
    for child in children:
        child.process.join(max(0.0, deadline - time.monotonic()))
        if child.process.exitcode is None:
            log.warning("%s did not stop and is killed", child.name)
            child.process.kill()
            child.process.join()


@contextmanager
def _hangup_calls(action: Callable[[], None] | None) -> Iterator[None]:
    """Block in which SIGHUP does as it is told, where there is that signal."""
    if sys.platform == "win32" or action is None:
        yield
        return
    before = signal.signal(signal.SIGHUP, lambda *_: action())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Block in which SIGTERM does what Ctrl-C does; a second one changes nothing."""

    def interrupt(number: int, _: FrameType | None) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            # Not `SIG_IGN`: Python would complain of one that came just before.
            signal.signal(name, lambda *_: None)
        raise KeyboardInterrupt(number)

    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    for name in before:
        signal.signal(name, interrupt)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
