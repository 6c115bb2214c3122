"""A running service takes another model between two frames, and loses none."""

import hashlib
import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import zmq

from atomstream.ports import free_address
from atomstream.service.model_wish import ask_and_wait, take_wish, wish
from inference.catalogue import DEFAULT, find_model
from inference.model_files import read_model
from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
from streamer.session.creation import create_session
from streamer.session.reader import SessionReader

type Run = Callable[..., Any]
type Spawn = Callable[..., subprocess.Popen[str]]
type Wait = Callable[[Callable[[], bool], float], None]
STREAM = Stream("5f0c", "test", "HAADF")
LIMIT_S = 60.0
pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Service:
    """A service, and a source that sends to it."""

    session: Path
    process: subprocess.Popen[str]
    source: Publisher
    wait_for: Wait

    def send(self, first: int, last: int) -> None:
        """Frames of noise: which model looks at them is all that counts."""
        for seq in range(first, last + 1):
            image = np.random.default_rng(seq).poisson(5, (64, 64)).astype(np.float32)
            self.source.send(Frame(STREAM, seq, image, pixel_size_nm=0.02))

    def models(self) -> list[str]:
        """Hash of the model of each analysis, in the order of the frames."""
        with SessionReader(self.session) as reader:
            records = reader.analyses(STREAM.id)
        assert [record.frame.seq for record in records] == list(range(len(records)))
        return [record.model.sha256 for record in records]

    def analysed(self, count: int) -> None:
        self.wait_for(lambda: len(self.models()) >= count, LIMIT_S)

    def received(self) -> int:
        with SessionReader(self.session) as reader:
            return reader.totals().frames

    def crash(self) -> None:
        """Kill every process but the one that minds them."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            child.kill()

    def events(self, kind: str) -> list[str]:
        with SessionReader(self.session) as reader:
            return [event.text for event in reader.events() if event.kind == kind]

    def told(self, kind: str, count: int = 1) -> list[str]:
        self.wait_for(lambda: len(self.events(kind)) >= count, LIMIT_S)
        return self.events(kind)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The shipped model under another name, and so of another hash."""
    folder = Path(shutil.copytree(find_model(DEFAULT), tmp_path / "mine"))
    rename(folder, "mine")
    return folder


def rename(folder: Path, name: str) -> None:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"name": name}))


def spoil(folder: Path) -> None:
    """A network that is none, of the hash that its card states."""
    content = b"not a network"
    (folder / "dcnn.onnx").write_bytes(content)
    card = json.loads((folder / "card.json").read_text())
    card["dcnn"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))


def sha256(name_or_folder: str | Path) -> str:
    return read_model(find_model(str(name_or_folder))).sha256


@pytest.fixture
def serve(
    tmp_path: Path, spawn: Spawn, wait_for: Wait
) -> Iterator[Callable[..., Service]]:
    session = tmp_path / "session"
    with ExitStack() as stack:

        def start(*options: str | Path) -> Service:
            create_session(session)
            context = stack.enter_context(zmq.Context())
            source = stack.enter_context(Publisher(context, free_address()))
            process = spawn(
                "serve", "--connect", source.url, "--record", session,
                "--publish", free_address(), "--threads", "1", *options,
            )  # fmt: skip
            return Service(session, process, source, wait_for)

        yield start


def test_the_command_swaps_at_an_exact_frame_and_a_crash_does_not_swap_back(
    serve: Callable[..., Service], run: Run, mine: Path
) -> None:
    service = serve()
    service.send(0, 3)
    service.analysed(4)
    outcome = run("models", "use", mine, "--session", service.session)
    assert outcome.code == 0
    assert "mine" in outcome.out
    service.send(4, 7)
    service.analysed(8)
    assert service.models() == [sha256(DEFAULT)] * 4 + [sha256(mine)] * 4
    first = service.events("first frame")
    assert [text.split(" is ")[0] for text in first] == [
        "frame 0 of 5f0c", "frame 4 of 5f0c",
    ]  # fmt: skip
    assert f"by mine ({sha256(mine)[:12]})" in first[1]
    taken = sha256(mine)
    shutil.rmtree(mine)
    service.crash()
    service.send(8, 8)
    service.analysed(9)
    assert service.models()[8] == taken
    assert len(service.events("first frame")) == 2
    assert service.process.poll() is None


def test_a_crash_goes_on_with_the_model_that_was_given_whatever_its_folder_holds_now(
    serve: Callable[..., Service], mine: Path
) -> None:
    service = serve("--model", mine)
    given = sha256(mine)
    service.send(0, 0)
    service.analysed(1)
    rename(mine, "another")
    service.crash()
    service.send(1, 1)
    service.analysed(2)
    assert service.models() == [given] * 2


def test_without_any_model_frames_are_received_until_it_is_back(
    serve: Callable[..., Service],
) -> None:
    service = serve()
    service.send(0, 0)
    service.analysed(1)
    kept = service.session / "models" / sha256(DEFAULT) / "dcnn.onnx"
    content = kept.read_bytes()
    kept.write_bytes(b"damaged")
    service.crash()

    def stuck() -> list[str]:
        return [t for t in service.events("engine") if t.startswith("nothing is ana")]

    service.wait_for(lambda: bool(stuck()), LIMIT_S)
    assert "is not the file its card describes" in stuck()[0]
    service.send(1, 2)
    service.wait_for(lambda: service.received() == 3, LIMIT_S)
    kept.write_bytes(content)
    service.analysed(3)
    assert service.models() == [sha256(DEFAULT)] * 3


def test_a_second_service_on_the_session_changes_nothing_for_the_first(
    serve: Callable[..., Service], run: Run, mine: Path
) -> None:
    service = serve()
    service.send(0, 0)
    service.analysed(1)
    assert run("models", "use", mine, "--session", service.session).code == 0
    second = serve()
    assert second.process.wait(LIMIT_S) == 2
    service.crash()
    service.send(1, 1)
    service.analysed(2)
    assert service.models() == [sha256(DEFAULT), sha256(mine)]


def test_a_new_service_begins_with_its_own_model_also_in_a_demo(
    serve: Callable[..., Service], spawn: Spawn, run: Run, mine: Path
) -> None:
    service = serve()
    service.send(0, 0)
    service.analysed(1)
    assert run("models", "use", mine, "--session", service.session).code == 0
    service.process.terminate()
    assert service.process.wait(LIMIT_S) == 0
    wish(service.session, str(mine))  # nobody has taken it up
    spawn("demo", "--record", service.session, "--no-dashboard", "--frames", "2")
    with SessionReader(service.session) as reader:
        service.wait_for(lambda: len(reader.streams()) == 2, LIMIT_S)
        demo = reader.streams()[1].stream.id
        service.wait_for(lambda: len(reader.analyses(demo)) == 2, LIMIT_S)
        models = [record.model.sha256 for record in reader.analyses(demo)]
    assert models == [sha256(DEFAULT)] * 2


def test_a_model_that_cannot_be_kept_is_refused_and_is_not_in_use(
    serve: Callable[..., Service], run: Run, mine: Path
) -> None:
    service = serve()
    service.send(0, 0)
    service.analysed(1)
    (service.session / "models" / sha256(mine)).write_text("in the way")
    outcome = run("models", "use", mine, "--session", service.session)
    assert outcome.code == 2
    assert "the model cannot be kept there" in outcome.err
    service.send(1, 1)
    service.analysed(2)
    assert service.models() == [sha256(DEFAULT)] * 2


def test_each_wish_has_its_own_answer(
    serve: Callable[..., Service], mine: Path
) -> None:
    service = serve()
    service.send(0, 0)
    service.analysed(1)
    wish(service.session, None)
    assert ask_and_wait(service.session, str(mine)).startswith("mine (")
    same, taken = service.events("same model"), service.events("new model")
    assert len(same) == len(taken) == 1


def test_wishes_are_taken_up_in_order_and_none_is_lost(tmp_path: Path) -> None:
    asked = [wish(tmp_path, model) for model in ("a", None, "b")]
    assert [take_wish(tmp_path) for _ in asked] == asked
    assert take_wish(tmp_path) is None


def test_frames_of_a_backlog_change_their_model_once(
    serve: Callable[..., Service], mine: Path
) -> None:
    service = serve()
    count = 60
    service.send(0, count - 1)
    service.analysed(2)
    wish(service.session, str(mine))
    service.analysed(count)
    models = service.models()
    old = models.count(sha256(DEFAULT))
    assert 2 <= old < count
    assert models == [sha256(DEFAULT)] * old + [sha256(mine)] * (count - old)
    assert service.events("first frame")[1].startswith(f"frame {old} of 5f0c is")


def test_sighup_reads_the_models_folder_again_and_refuses_what_is_none(
    serve: Callable[..., Service], mine: Path, tmp_path: Path
) -> None:
    service = serve("--model", mine)
    old = sha256(mine)
    service.send(0, 1)
    service.analysed(2)
    (mine / "decoder.onnx").rename(tmp_path / "decoder.onnx")
    service.process.send_signal(signal.SIGHUP)
    assert "decoder.onnx cannot be read" in service.told("model refused")[0]
    (tmp_path / "decoder.onnx").rename(mine / "decoder.onnx")
    spoil(mine)
    service.process.send_signal(signal.SIGHUP)
    refused = service.told("model refused", 2)[1]
    assert "dcnn.onnx is not a network" in refused
    assert f"mine ({old[:12]}) stays" in refused
    service.send(2, 3)
    service.analysed(4)
    assert service.models() == [old] * 4
    shutil.copytree(find_model(DEFAULT), mine, dirs_exist_ok=True)
    rename(mine, "newer")
    service.process.send_signal(signal.SIGHUP)
    service.told("new model")
    service.send(4, 5)
    service.analysed(6)
    assert service.models() == [old] * 4 + [sha256(mine)] * 2
    assert service.process.poll() is None


def test_models_use_says_what_is_wrong_in_one_line(
    tmp_path: Path, run: Run, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atomstream.service.model_wish.ANSWER_S", 0.2)
    session = tmp_path / "session"
    create_session(session)
    cases = {
        ("gold", session): "no model 'gold'",
        (mine, tmp_path / "none"): "does not exist",
        (mine, session): "no service is running on this session",
    }
    for (model, folder), says in cases.items():
        outcome = run("models", "use", model, "--session", folder)
        assert outcome.code == 2
        assert outcome.err.startswith("atomstream: ")
        assert outcome.err.count("\n") == 1
        assert says in outcome.err
    (mine / "dcnn.onnx").write_bytes(b"")
    outcome = run("models", "use", mine, "--session", session)
    assert "is not the file its card describes" in outcome.err
    assert not list(session.glob(".model*"))
