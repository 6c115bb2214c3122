"""The page's server, in a process of its own, and a publisher that feeds it."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import zmq

from atomstream.bench.child import next_line
from atomstream.bench.page.serving import Told
from atomstream.ports import free_address
from streamer.analysis import Analysis
from streamer.errors import SettingsError
from streamer.publisher import Publisher

ARRIVES_WITHIN_S = 60.0
DOES = "serving the page"


@dataclass
class Server:
    """Shows what is published here."""

    publisher: Publisher
    process: subprocess.Popen[str]
    url: str
    """Of the page."""
    newest: int = -1

    def send(self, analysis: Analysis) -> float:
        """Publish; returns when (monotonic seconds)."""
        now_s = time.monotonic()
        self.publisher.send(analysis)
        self.newest = analysis.seq
        return now_s

    def ask(self) -> Told:
        """How things stand with it now."""
        stdin = self.process.stdin
        assert stdin is not None
        stdin.write("\n")
        stdin.flush()
        return Told.from_line(next_line(self.process, DOES))

    async def shown(self) -> Told:
        """When it has the newest."""
        return await self._when(lambda told: told.seq >= self.newest)

    async def painted(self) -> Told:
        """When a viewer has seen the newest."""
        return await self._when(
            lambda told: any(seq >= self.newest for seq, _ in told.paints)
        )

    async def _when(self, holds: Callable[[Told], bool]) -> Told:
        deadline_s = time.monotonic() + ARRIVES_WITHIN_S
        while not holds(told := self.ask()):
            if time.monotonic() > deadline_s:
                raise SettingsError(f"the page at {self.url} shows nothing new")
            await asyncio.sleep(0.02)
        return told


@contextmanager
def serving() -> Iterator[Server]:
    """A server without viewers, and a publisher that has sent nothing.

    Raises
    ------
    SettingsError
        It does not start.
    """
    address = free_address()
    command = [sys.executable, "-m", "atomstream.bench.page.serving", address]
    with (
        zmq.Context() as context,
        Publisher(context, address) as publisher,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            yield Server(publisher, process, next_line(process, DOES).strip())
        finally:
            process.kill()
