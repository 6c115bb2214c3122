"""`serve`, `tap`, `doctor` and a bridge of karabo's own, as processes."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from atomstream.ports import free_address
from streamer.errors import SessionError
from streamer.session.reader import SessionReader
from streamer.session.verify import verify

type Run = Callable[..., Any]
type Spawn = Callable[..., subprocess.Popen[str]]
type Wait = Callable[[Callable[[], bool], float], None]
type Bridge = Callable[..., subprocess.Popen[str]]

PROGRAM = Path(__file__).parents[1] / "streamer" / "karabo" / "bridge.py"
SOURCE, KEY = "STEM/HAADF", "image.data"
LIMIT_S = 60


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    started: list[subprocess.Popen[str]] = []

    def start(url: str, pattern: str, first: int, last: int) -> subprocess.Popen[str]:
        program = subprocess.Popen(
            [sys.executable, str(PROGRAM), url, pattern, str(first), str(last)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(program)
        return program

    yield start
    for program in started:
        program.kill()
        program.communicate()


def image(train_id: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """What the program sends as train `train_id`."""
    return np.random.default_rng(train_id).poisson(9, (48, 32)).astype(np.float32)


def counts(session: Path) -> tuple[int, int]:
    """Frames and analyses in a session."""
    try:
        with SessionReader(session) as reader:
            totals = reader.totals()
            return totals.frames, totals.analyses
    except SessionError:  # not there yet
        return 0, 0


def serve(
    spawn: Spawn, session: Path, url: str, *options: str
) -> subprocess.Popen[str]:
    return spawn(
        "serve", "--connect", url, "--record", session,
        "--publish", free_address(), "--pixel-size", "0.02", *options,
    )  # fmt: skip


def stop(service: subprocess.Popen[str]) -> None:
    service.send_signal(signal.SIGINT)
    assert service.wait(30) == 0


@pytest.mark.parametrize(("server", "client"), [("REP", "req"), ("PUSH", "pull")])
def test_the_session_is_what_karabo_sent_bit_for_bit(
    tmp_path: Path, spawn: Spawn, wait_for: Wait, bridge: Bridge, server: str,
    client: str,
) -> None:  # fmt: skip
    url, session = free_address(), tmp_path / "session"
    bridge(url, server, 700, 719)
    service = serve(spawn, session, f"karabo+{url}?pattern={client}&source={SOURCE}")
    wait_for(lambda: counts(session) == (20, 20), LIMIT_S)
    stop(service)
    with SessionReader(session) as reader:
        (record,) = reader.streams()
        assert (record.stream.source, record.stream.channel) == (SOURCE, KEY)
        assert reader.gaps() == []
        for seq in range(20):
            frame = reader.frame(record.stream.id, seq)
            assert frame.image.tobytes() == image(700 + seq).tobytes()
            said = frame.metadata["metadata"]
            assert isinstance(said, dict)
            assert said["timestamp.tid"] == 700 + seq
            assert frame.metadata["data"] == {"dwell": 2.5, "mode": "scan"}
            assert frame.start_ns == (1_700_000_700 + seq) * 10**9 + 250_000_000
        used = {each.pixel_size_nm for each in reader.analyses(record.stream.id)}
        assert used == {0.02}
    assert verify(session).whole


def test_what_was_missed_while_the_service_was_killed_is_in_the_ledger(
    tmp_path: Path, spawn: Spawn, wait_for: Wait, bridge: Bridge
) -> None:
    url, session = free_address(), tmp_path / "session"
    bridge(url, "PUSH", 0, 10**6)
    service = serve(spawn, session, f"karabo+{url}?pattern=pull")
    wait_for(lambda: counts(session)[0] >= 5, LIMIT_S)
    for child in psutil.Process(service.pid).children(recursive=True):
        child.send_signal(signal.SIGKILL)
    killed_at = counts(session)[0]
    wait_for(lambda: counts(session)[0] >= killed_at + 5, LIMIT_S)
    stop(service)
    again = serve(spawn, session, f"karabo+{url}?pattern=pull")
    before = counts(session)[0]
    wait_for(lambda: counts(session)[0] >= before + 5, LIMIT_S)
    stop(again)
    with SessionReader(session) as reader:
        (record,) = reader.streams()
        first = int(record.stream.id.split("-")[3])
        seqs = {each.seq for each in reader.frames(record.stream.id)}
        lost = {seq for gap in reader.gaps() for seq in range(gap.first, gap.last + 1)}
        assert lost
        assert seqs | lost == set(range(max(seqs) + 1))
        assert not seqs & lost
        assert all("did not come" in gap.reason for gap in reader.gaps())
        for seq in sorted(seqs)[:: max(1, len(seqs) // 10)]:
            frame = reader.frame(record.stream.id, seq)
            assert frame.image.tobytes() == image(first + seq).tobytes()
    assert verify(session).whole


def test_a_bridge_and_a_publisher_go_into_one_session(
    tmp_path: Path, spawn: Spawn, wait_for: Wait, bridge: Bridge, movie: Path
) -> None:
    url, ours, session = free_address(), free_address(), tmp_path / "session"
    bridge(url, "REP", 1, 4)
    spawn("replay", movie, "--bind", ours, "--period", "0.2")
    service = serve(spawn, session, f"karabo+{url}", "--connect", ours)
    wait_for(lambda: counts(session) == (7, 7), LIMIT_S)
    stop(service)
    with SessionReader(session) as reader:
        found = {each.stream.source: each.total for each in reader.streams()}
    assert found == {SOURCE: None, "movie.tif": 3}


def test_tap_shows_a_bridge_and_says_what_that_takes_away(
    spawn: Spawn, bridge: Bridge
) -> None:
    url = free_address()
    bridge(url, "REP", 5, 9)
    tap = spawn("tap", f"karabo+{url}", "--count", "2")
    assert tap.wait(LIMIT_S) == 0
    lines = tap.stdout.read().splitlines()  # type: ignore[union-attr] # a pipe
    assert lines[0] == (
        f"karabo+{url}: a train that comes here goes to nobody else; a service that "
        "listens there too will miss it"
    )
    assert lines[-2:] == [
        f"frame {KEY} {seq}: 48 x 32 float32, pixel not calibrated, complete"
        for seq in (0, 1)
    ]


def test_doctor_finds_a_bridge_without_taking_a_train(
    run: Run, spawn: Spawn, bridge: Bridge
) -> None:
    url = free_address()
    at = f"karabo+{url}"
    assert "Connection refused" in plain(run("doctor", "--connect", at).out)
    program = bridge(url, "PUSH", 5, 9)
    assert program.stdout is not None
    assert program.stdout.readline() == "sent\n"
    assert "takes connections" in plain(run("doctor", "--connect", at).out)
    tap = spawn("tap", f"{at}?pattern=pull", "--count", "5")
    assert tap.wait(LIMIT_S) == 0
    assert len(re.findall(r"frame image\.data \d", tap.stdout.read())) == 5  # type: ignore[union-attr] # a pipe


def plain(table: str) -> str:
    """The words of a table, whatever its width."""
    return " ".join(re.sub("[│┃]", " ", table).split())


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("serve --connect {far} --record {there}", "encrypts nothing: bring it here"),
        ("serve --connect {near} --record {there} --until-end", "omit --until-end"),
        ("serve --connect {near} --record {there} --server-key aa", "has no keys"),
        ("serve --connect {near}?patern=sub --record {there}", "has 'patern'"),
        ("serve --connect {near}?pattern=rep --record {there}", "one of req, sub"),
        ("tap {near} --all", "it keeps nothing"),
        ("tap {far}", "or give --insecure"),
        ("dashboard --connect {near}", "it has no analyses"),
        ("doctor --nion --connect {near}", "omit --nion"),
        ("doctor --connect {far}", "or give --insecure"),
    ],
)
def test_what_makes_no_sense_with_a_bridge_is_refused_with_a_word(
    tmp_path: Path, run: Run, command: str, word: str
) -> None:
    names = {
        "near": "karabo+tcp://127.0.0.1:4545",
        "far": "karabo+tcp://192.0.2.1:4545",
        "there": str(tmp_path / "session"),
    }
    outcome = run(*(part.format(**names) for part in command.split()))
    assert outcome.code == 2
    assert word in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not (tmp_path / "session").exists()
