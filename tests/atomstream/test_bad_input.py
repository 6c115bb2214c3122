"""Whatever is wrong with the input: one line that says so, and exit code 2."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomstream.ports import free_address
from streamer.session.creation import create_session

type Run = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[Path], None]
    says: str
    options: tuple[str, ...] = ("--pixel-size", "0.0156")


def save(array: np.ndarray, *, objects: bool = False) -> Callable[[Path], None]:
    return lambda path: np.save(path, array, allow_pickle=objects)


STACKS = [
    Case("missing", lambda _: None, "does not exist"),
    Case("text", lambda path: path.write_text("frames!\n") and None, "stack.npy"),
    Case("one-dimensional", save(np.zeros(5)), "1 dimension"),
    Case("objects", save(np.array([None, {}]), objects=True), "object"),
    Case("complex", save(np.zeros((2, 32, 32), np.complex64)), "complex"),
    Case("boolean", save(np.zeros((2, 32, 32), bool)), "bool"),
    Case("absurd pixel size", save(np.zeros((2, 32, 32))), "0.0001",
         ("--pixel-size", "5")),
]  # fmt: skip


@pytest.mark.parametrize("command", ["analyze", "replay"])
@pytest.mark.parametrize("case", STACKS, ids=lambda case: case.name)
def test_a_stack_that_is_none_is_refused_in_one_line(
    tmp_path: Path, run: Run, case: Case, command: str
) -> None:
    path = tmp_path / "stack.npy"
    case.make(path)
    record = ("--record", tmp_path / "session") if command == "analyze" else ()
    outcome = run(command, path, *case.options, *record)
    assert outcome.code == 2
    assert outcome.err.startswith("atomstream: ")
    assert case.says in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "session").exists()


OPTIONS = {
    "serve without a scheme": (
        ("serve", "--connect", "localhost:5555", "--record", "{session}"),
        "localhost:5555",
    ),
    "page without a port": (
        ("demo", "--dashboard", "localhost"),
        "expected HOST:PORT, for instance 127.0.0.1:5006",
    ),
    "unknown model": (
        ("serve", "--connect", "tcp://127.0.0.1:1", "--record", "{session}",
         "--model", "gold"),
        "no model 'gold'",
    ),
    "a pixel size told and estimated": (
        ("serve", "--connect", "tcp://127.0.0.1:1", "--record", "{session}",
         "--pixel-size", "0.02", "--estimate-pixel-size"),
        "give one",
    ),
    "cuda where there is none": (
        ("serve", "--connect", "tcp://127.0.0.1:1", "--record", "{session}",
         "--device", "cuda"),
        "--device cuda: this ONNX Runtime has ",
    ),
    "a cluster without an address": (
        ("analyze", "movie.tif", "--record", "{session}", "--engine", "dask"),
        "--engine dask needs --scheduler",
    ),
    "an address without a cluster": (
        ("analyze", "movie.tif", "--record", "{session}", "--scheduler", "tcp://a:1"),
        "--scheduler goes with --engine dask",
    ),
    "an address of another form": (
        ("analyze", "movie.tif", "--record", "{session}", "--engine", "dask",
         "--scheduler", "10.0.0.7"),
        "--scheduler 10.0.0.7: expected tcp://HOST:PORT",
    ),
    "nothing to show": (("dashboard",), "give either a SESSION or --connect URL"),
    "no such session": (("dashboard", "{session}"), "{session} does not exist"),
    "a picture that is a folder": (
        ("models", "draw", "graphene-si", "{folder}"),
        "{folder} is a folder; name a file in it, for instance {folder}/latents.png",
    ),
    "a picture in no folder": (
        ("models", "draw", "graphene-si", "{session}/latents.png"),
        "{session} is not a folder; make it first",
    ),
    "a picture that is none": (
        ("models", "draw", "graphene-si", "{folder}/latents.txt"),
        "latents.txt: a picture is drawn to .png, ",
    ),
    "export of no session": (
        ("export", "{session}", "atoms.csv"), "{session} does not exist",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_makes_no_sense_is_refused_in_one_line(
    tmp_path: Path, run: Run, name: str
) -> None:
    arguments, says = OPTIONS[name]
    session, folder = str(tmp_path / "session"), str(tmp_path)
    places = {"session": session, "folder": folder}
    outcome = run(*(argument.format(**places) for argument in arguments))
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1].startswith("atomstream: ")
    assert says.format(**places) in outcome.err.splitlines()[-1]
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("out", "says"),
    [
        (Path(), "{0} is a folder; name a file in it, for instance {0}/atoms.csv"),
        (Path("none/atoms.csv"), "{0}/none is not a folder; make it first"),
    ],
    ids=["a folder", "in no folder"],
)
@pytest.mark.parametrize("ending", [".csv", ".parquet", ".h5"])
def test_a_table_that_cannot_be_there_is_refused_in_one_line(
    tmp_path: Path, run: Run, out: Path, says: str, ending: str
) -> None:
    create_session(tmp_path / "session")
    place = tmp_path / out if out == Path() else tmp_path / out.with_suffix(ending)
    outcome = run("export", tmp_path / "session", place)
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1] == f"atomstream: {says.format(tmp_path)}"


def test_a_session_folder_that_is_a_file_is_refused(
    tmp_path: Path, run: Run, movie: Path
) -> None:
    file = tmp_path / "session"
    file.write_text("not a folder")
    outcome = run("analyze", movie, "--record", file)
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1].startswith("atomstream: ")
    assert str(file) in outcome.err
    assert file.read_text() == "not a folder"


def test_a_busy_port_is_refused_with_the_option_that_mends_it(
    run: Run, movie: Path
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        outcome = run("replay", movie, "--bind", f"tcp://127.0.0.1:{port}")
    assert outcome.code == 2
    assert f"tcp://127.0.0.1:{port}" in outcome.err
    assert "--bind" in outcome.err


@pytest.mark.parametrize("offset", [0, 1], ids=["its own", "the one for catch-up"])
def test_a_service_that_could_not_publish_is_refused_before_it_begins(
    tmp_path: Path, run: Run, offset: int
) -> None:
    url = free_address()
    port = int(url.rpartition(":")[2]) + offset
    session = tmp_path / "session"
    with socket.create_server(("127.0.0.1", port)):
        outcome = run(
            "serve", "--connect", "tcp://127.0.0.1:1", "--record", session,
            "--publish", url,
        )  # fmt: skip
    assert outcome.code == 2
    assert outcome.err == (
        f"atomstream: tcp://127.0.0.1:{port} is in use by another program; choose "
        "another address with --publish\n"
    )
    assert not session.exists()


def test_what_is_refused_shows_no_progress(tmp_path: Path, run: Run) -> None:
    (tmp_path / "empty").mkdir()
    outcome = run("evaluate", "--real", tmp_path / "empty")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "measuring" not in outcome.err


def test_a_movie_needs_a_folder_to_go_to(tmp_path: Path, run: Run) -> None:
    outcome = run("simulate", tmp_path / "none" / "movie.tif", "--frames", "1")
    assert outcome.code == 2
    assert outcome.err == (
        f"atomstream: {tmp_path / 'none'} is not a folder; make it first\n"
    )


def test_a_file_is_not_overwritten_unasked(run: Run, movie: Path) -> None:
    before = movie.read_bytes()
    outcome = run("simulate", movie, "--frames", "1")
    assert outcome.code == 2
    assert "--overwrite" in outcome.err
    assert movie.read_bytes() == before


@pytest.mark.parametrize("command", ["serve", "analyze"])
def test_a_scheduler_that_is_not_there_is_refused_after_a_bounded_wait(
    tmp_path: Path, run: Run, movie: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    pytest.importorskip("distributed", reason="needs the extra [cluster]")
    monkeypatch.setattr("inference.engines.cluster.connection.FIRST_WAIT_S", 0.5)
    session = tmp_path / "session"
    source = ("--connect", "tcp://127.0.0.1:1") if command == "serve" else (movie,)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        outcome = run(
            command, *source, "--record", session, "--engine", "dask",
            "--scheduler", url,
        )  # fmt: skip
    assert outcome.code == 2
    assert outcome.err.startswith(f"atomstream: --scheduler {url} cannot be used: ")
    assert outcome.err.count("\n") == 1
    assert not session.exists()
