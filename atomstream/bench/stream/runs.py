"""One run: a sender and a receiver, each in a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from atomstream.bench.child import next_line
from atomstream.bench.peer.environment import Environment
from atomstream.bench.stream.told import Job
from atomstream.ports import free_address
from streamer.errors import SettingsError

JOINING_S = 0.5
"""Until a subscription has certainly reached the sender; some cannot tell."""
ENDLESS = 10**9
BY_KARABO = Path(__file__).parents[1] / "peer" / "by_karabo.py"
DOES = "sending or receiving"
PEER = "karabo-bridge"
CURVE = "curve"
"""TCP, encrypted."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one run took."""

    cpu_ms: float
    latencies_ms: tuple[float, ...]


def run(job: Job, peer: Environment | None) -> Told:
    """The sender sends at its pace until the receiver has what it wants.

    Raises
    ------
    SettingsError
        One of the two failed.
    """
    command = command_for(job, peer)
    sent = replace(job, frames=ENDLESS).as_argument()
    with (
        program([*command, "send", sent], "bound") as sender,
        program([*command, "receive", job.as_argument()], "ready") as receiver,
    ):
        time.sleep(JOINING_S)
        assert sender.stdin is not None
        sender.stdin.write("go\n")
        sender.stdin.flush()
        told: dict[str, Any] = json.loads(next_line(receiver, DOES))
    return Told(told["cpu_ms"], tuple(told["latencies_ms"]))


def command_for(job: Job, peer: Environment | None) -> list[str]:
    """Whose Python does it, and with which program."""
    if job.receiver != PEER:
        return [sys.executable, "-m", "atomstream.bench.stream.by_us"]
    assert peer is not None
    # Without -P the program would find our modules beside it.
    return [str(peer.python), "-P", str(BY_KARABO)]


@contextmanager
def program(command: list[str], greeting: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has said that it is ready, and does not outlive the block."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            if next_line(process, DOES).strip() != greeting:
                raise SettingsError(f"{command[0]} did not say that it is {greeting}")
            yield process
        finally:
            process.kill()


def free_url(transport: str, folder: Path) -> str:
    """An address at which a publisher can bind, and one beside it."""
    if transport == "ipc":
        return f"ipc://{folder}/bench"
    return free_address()
