"""What a running service had recorded before a dashboard came to listen."""

import logging
import threading
from pathlib import Path
from typing import Self

from dashboard.backfill import Backfill, reach_on_disk
from dashboard.hub import Hub
from dashboard.runs import Runs
from dashboard.snapshot import Channel
from streamer.errors import AtomstreamError
from streamer.session.reader import SessionReader

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""How often to look whether there is a session, or a new run in it."""

AGAIN_S = 5.0
"""Until the next try after a session could not be read."""


class Recall:
    """Brings the older frames of a live hub from the session of its service.

    On a thread of its own, so that what comes live never waits for the disk. There
    need not be a session yet.

    Parameters
    ----------
    hub
        That a `LiveFeed` fills.
    folder
        Where the service records.
    """

    def __init__(self, hub: Hub, folder: Path) -> None:
        self._hub = hub
        self._folder = folder
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recall")
        self._said = ""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with SessionReader(self._folder) as session:
                    self._follow(session)
            except AtomstreamError as error:
                self._say(str(error))
                self._hub.set_progress(None)
            self._stopping.wait(AGAIN_S)

    def _follow(self, session: SessionReader) -> None:
        backfill, brought = Backfill(self._hub, session), set[tuple[str, int]]()
        runs, version = Runs(session), None
        while not self._stopping.is_set():
            session.check_there()
            if version != (version := session.version()):
                self._hub.set_runs(runs.by_channel(session.streams()))
            for channel in self._hub.snapshot.channels.values():
                self._bring(channel, session, backfill, brought)
            self._stopping.wait(backfill.count_some() or LOOK_S)

    def _bring(
        self,
        channel: Channel,
        session: SessionReader,
        backfill: Backfill,
        brought: set[tuple[str, int]],
    ) -> None:
        """Have the frames before those that came live, once for each run."""
        stream, first = channel.history.stream, channel.history.scenes[0].seq
        reach = reach_on_disk(session, stream)
        if reach is None or (stream.id, reach.first) in brought:
            return
        brought.add((stream.id, reach.first))
        self._hub.set_reach(stream, reach)
        known = set(channel.history.records["seq"].tolist())
        analysed = (key.seq for key in session.analysed(stream.id))
        older = [seq for seq in analysed if seq < first and seq not in known]
        if older:
            backfill.glance(stream, older, self._stopping)

    def _say(self, problem: str) -> None:
        """Log each problem once as long as it lasts."""
        if problem != self._said:
            log.warning("older frames cannot be shown: %s", problem)
            self._said = problem
