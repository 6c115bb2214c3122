"""The process that minds the others: starts them, restarts what dies, stops them."""

import logging
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from types import FrameType

from atomstream.logs import LogSettings
from atomstream.service.child import Child, keep_ready
from atomstream.service.post import Post
from atomstream.service.process import DRAIN_S, Circumstances, Task
from atomstream.service.restarts import Restarts
from atomstream.stopping import STOPPING, Stop, was_stopped

log = logging.getLogger("service")
GONE_S = 2.0
"""After which the end of what processes are copied from can be seen by everybody."""
LOOK_S = 0.1
"""Between two looks whether it is time for what waits to be started."""
KILLED_S = 5.0
"""What the kernel may take to end a process."""


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
    logs: LogSettings = field(default_factory=LogSettings)
    """Of each process."""

    def run(self) -> None:
        """Return when the work is done or a signal says to stop.

        Raises
        ------
        ServiceError
            A process that has not achieved anything yet refused its input, or died
            `CRASHES_ALLOWED` times in a minute.
        """
        around = Circumstances(self.logs, Restarts(self.tasks))
        posts = [Post(name, task, around) for name, task in self.tasks.items()]
        if was_stopped():
            return
        with _signals_interrupt(), _hangup_calls(self.on_hangup):
            try:
                mind(posts)
            except KeyboardInterrupt:
                log.info("stopping")
            finally:
                stop_all([post.child for post in posts if post.child])


def mind(posts: Sequence[Post]) -> None:
    """Return when one has done its work; start the others again meanwhile."""
    orphans, renew_until_s = 0, 0.0
    while True:
        for post in posts:
            post.start_if_due()
        renews = time.monotonic() < renew_until_s
        if renews:
            keep_ready()
        children = [post.child for post in posts if post.child]
        looks = renews or len(children) < len(posts)
        wait([child.news() for child in children], LOOK_S if looks else None)
        if any(post.poll() == 0 for post in posts):
            return
        for post in posts:
            post.give_up_child()
        before, orphans = orphans, sum(child.is_orphan for child in children)
        if orphans > before:
            if not renews:  # they are noticed one after the other
                log.warning("what processes are copied from has died: another starts")
            renew_until_s = time.monotonic() + GONE_S


def stop_all(children: Collection[Child]) -> None:
    """Let every process finish what it is doing; kill those that cannot."""
    for child in children:
        child.stop()
    deadline_s = time.monotonic() + DRAIN_S
    for child in children:
        has_ended = child.join(max(0.0, deadline_s - time.monotonic()))
        # One whose start was broken off may still come; then it ends by itself.
        if not has_ended and child.process.pid is not None:
            log.warning("%s did not stop and is killed", child.name)
            child.kill()
            child.join(KILLED_S)


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
        for name in STOPPING:
            # Not `SIG_IGN`: Python would complain of one that came just before.
            signal.signal(name, lambda *_: None)
            if isinstance(handler := before[name], Stop):
                handler.note()
        raise KeyboardInterrupt(number)

    before = {name: signal.getsignal(name) for name in STOPPING}
    for name in before:
        signal.signal(name, interrupt)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
