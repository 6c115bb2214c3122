"""Nothing that arrives is ever run: no pickle, and nothing like it, anywhere."""

import ast
import io
import json
import os
import pickle
import sqlite3
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import h5py
import msgpack
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile
import zmq

from atomstream.service.model_in_use import in_use
from atomstream.service.model_wish import take_wish
from inference.model import load_model
from inference.training.atomai.networks import read_pair
from streamer.errors import AtomstreamError
from streamer.events import Received, Rejected
from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
from streamer.session import atoms_table
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.verify import verify
from streamer.stacks import open_stack
from streamer.subscriber import Subscriber
from streamer.wire import pack

ROOT = Path(__file__).parents[2]
PACKAGES = ("streamer", "inference", "dashboard", "atomstream")

MODULES = frozenset({
    "pickle", "_pickle", "pickletools", "cloudpickle", "dill", "joblib", "jsonpickle",
    "marshal", "shelve", "yaml", "multiprocessing", "concurrent.futures.process",
    "distributed", "dask", "pandas", "code", "runpy", "msgpack_numpy",
})  # fmt: skip
"""What makes objects, or runs something, of bytes that arrive."""
CALLS = frozenset({
    "eval", "exec", "compile", "__import__", "recv_pyobj", "send_pyobj", "read_pickle",
    "to_pickle", "load_module", "ProcessPoolExecutor",
})  # fmt: skip

REASONS = {
    ("inference/training/atomai/pickled.py", "pickletools"): (
        "reads a pickle's operations as data; it has no operation that calls anything"
    ),
    ("inference/training/unfinished.py", "pickle"): (
        "the name of an error, to say in one line that a file of training is damaged"
    ),
    ("inference/training/scene_set.py", "multiprocessing"): (
        "draws scenes in processes of its own: pickles go through its own pipes"
    ),
    ("atomstream/service", "multiprocessing"): (
        "starts our own processes: pickles go to and from them through our own pipes"
    ),
    ("inference/engines/cluster", "distributed"): (
        "Dask's own protocol between machines of one cluster, behind Dask's TLS"
    ),
}
"""The exceptions by file or folder, and why each is none."""
SAME = {"dask": "distributed", "concurrent": "multiprocessing",
        "ProcessPoolExecutor()": "multiprocessing"}  # fmt: skip


def suspicious(tree: ast.AST) -> Iterator[str]:
    """Names in a module by which something that arrives could be run."""
    for part in ast.walk(tree):
        match part:
            case ast.Import(names):
                yield from (name.name for name in names if is_suspect(name.name))
            case ast.ImportFrom(module=str(module), names=names):
                full = [module, *(f"{module}.{name.name}" for name in names)]
                yield from [name for name in full if is_suspect(name)][:1]
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield f"{name}()"
            # A network's own eval() takes nothing; the builtin takes what it runs.
            case ast.Call(func=ast.Attribute(attr=name), args=[_, *_]) if name in CALLS:
                if name != "compile":  # a regular expression's
                    yield f".{name}()"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="load")):
                if not has(part, "weights_only", True):
                    yield "torch.load without weights_only"
            case ast.Call() if any(key.arg == "allow_pickle" for key in part.keywords):
                if not has(part, "allow_pickle", False):
                    yield "allow_pickle"
            case _:
                pass


def is_suspect(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in MODULES)


def has(call: ast.Call, name: str, value: bool) -> bool:
    """Whether a call says `name=value` in so many words."""
    return any(
        key.arg == name
        and isinstance(key.value, ast.Constant)
        and key.value.value is value
        for key in call.keywords
    )


def found() -> set[tuple[str, str]]:
    """What is suspicious, by the file or folder that has a reason, else by file."""
    names = set()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            file = path.relative_to(ROOT)
            places = {str(file), *map(str, file.parents)} & {at for at, _ in REASONS}
            for name in suspicious(ast.parse(path.read_bytes())):
                base = name.split(".")[0] or name
                place = min(places, default=str(file))
                names.add((place, SAME.get(base, base)))
    return names


def test_nothing_in_the_packages_could_run_what_arrives() -> None:
    # Both ways: an exception that is not needed any more must go.
    assert found() == REASONS.keys()


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from pickle import loads", "import dill as d", "eval(text)",
        "socket.recv_pyobj(0)", "np.load(file, allow_pickle=True)",
        "np.load(file, allow_pickle=flag)", "torch.load(file)",
        "torch.load(file, weights_only=False)", "import yaml", "exec(text)",
        "from multiprocessing.managers import BaseManager",
    ],
)  # fmt: skip
def test_the_search_finds(source: str) -> None:
    assert list(suspicious(ast.parse(source)))


class Trap:
    """What makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.open, (str(self.path), os.O_CREAT | os.O_WRONLY)


@pytest.fixture
def sprung(tmp_path: Path) -> Iterator[Path]:
    """The file that a trap would make; at the end of the test it must not be there."""
    path = tmp_path / "sprung"
    os.close(pickle.loads(pickle.dumps(Trap(path))))
    assert path.exists(), "the trap does not work"
    path.unlink()
    yield path
    assert not path.exists()


@pytest.fixture(params=[0, 2, 5], ids="protocol {}".format)
def trap(request: pytest.FixtureRequest, sprung: Path) -> bytes:
    """A pickle that must never be read, in old and new form."""
    return pickle.dumps(Trap(sprung), protocol=request.param)


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    context = zmq.Context()
    yield context
    context.term()


STREAM = Stream("5f0c", "microscope", "HAADF")
FRAME = Frame(STREAM, 0, np.zeros((16, 16), np.float32))


def test_a_subscriber(context: zmq.Context[zmq.Socket[bytes]], trap: bytes) -> None:
    topic, header, payload = pack(FRAME, 0)
    with context.socket(zmq.XPUB) as live:
        live.linger = 0
        port = live.bind_to_random_port("tcp://127.0.0.1")
        with Subscriber(context, [f"tcp://127.0.0.1:{port}"]) as subscriber:
            for _ in range(3):
                assert live.poll(10_000)
                live.recv()
            live.send(trap)
            live.send_multipart([topic, trap, payload])
            live.send_multipart([topic, header, trap])
            live.send_multipart([topic, header, payload])
            events, deadline = [], time.monotonic() + 30
            while not (events and isinstance(events[-1], Received)):
                assert time.monotonic() < deadline
                if event := subscriber.receive(0.1):
                    events.append(event)
    assert len([event for event in events if isinstance(event, Rejected)]) == 3


def test_a_publisher(context: zmq.Context[zmq.Socket[bytes]], trap: bytes) -> None:
    with Publisher(context, "tcp://127.0.0.1:*", heartbeat_s=0.1) as publisher:
        port = int(publisher.url.rpartition(":")[2])
        with context.socket(zmq.SUB) as live:
            live.subscribe(trap[:1000])
            live.connect(f"tcp://127.0.0.1:{port}")
            live.subscribe(b"heartbeat")
            assert live.poll(10_000)
            catch_up = live.recv_multipart()[1]
        with context.socket(zmq.DEALER) as client:
            client.linger = 0
            client.connect(f"tcp://127.0.0.1:{msgpack.unpackb(catch_up)['catch_up']}")
            for parts in ([trap], [b"t", trap, b""], [trap] * 3):
                client.send_multipart(parts)
            deadline = time.monotonic() + 30
            while publisher.statistics().rejected < 3:
                assert time.monotonic() < deadline
                time.sleep(0.01)


def refused(path: Path) -> str:
    with pytest.raises(AtomstreamError) as error, open_stack(path) as stack:
        stack.frame(0, STREAM)
    return str(error.value)


def test_a_numpy_file(tmp_path: Path, sprung: Path, trap: bytes) -> None:
    objects = np.empty((3, 16, 16), object)
    objects[:] = Trap(sprung)
    np.save(tmp_path / "stack.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "stack.npz", movie=objects, allow_pickle=True)
    array = (tmp_path / "stack.npy").read_bytes()
    with zipfile.ZipFile(tmp_path / "stack.ndata", "w") as archive:
        archive.writestr("data.npy", array)
        archive.writestr("metadata.json", "{}")
    for suffix in (".npy", ".ndata"):
        assert "Python objects" in refused(tmp_path / f"stack{suffix}")
    assert "holds no images" in refused(tmp_path / "stack.npz")
    for suffix in (".npy", ".npz", ".ndata", ".tif", ".h5", ".nhdf"):
        (tmp_path / f"bare{suffix}").write_bytes(trap)
        assert refused(tmp_path / f"bare{suffix}")
    with zipfile.ZipFile(tmp_path / "words.ndata", "w") as archive:
        archive.writestr("data.npy", array)
        archive.writestr("metadata.json", trap)
    assert refused(tmp_path / "words.ndata")


def test_an_hdf5_file(tmp_path: Path, trap: bytes) -> None:
    with h5py.File(tmp_path / "stack.h5", "w") as file:
        file["data"] = np.zeros((3, 16, 16), np.float32)
        # As PyTables keeps objects that it pickles.
        file["data"].attrs["properties"] = np.void(trap)
        file.attrs["TITLE"] = np.void(trap)
    assert refused(tmp_path / "stack.h5")


def test_a_tiff_file(tmp_path: Path, trap: bytes) -> None:
    path = tmp_path / "stack.tif"
    tifffile.imwrite(
        path, np.zeros((16, 16), np.float32), metadata=None,
        description=b"atomstream.1=" + trap.replace(b"\n", b" "),
    )  # fmt: skip
    assert refused(path)


def test_a_session(tmp_path: Path, sprung: Path, trap: bytes) -> None:
    session = tmp_path / "session"
    with FrameRecorder(session) as recorder:
        recorder.commit_frame(FRAME, received_ns=0)
        recorder.commit_event(0, "a", pickle.dumps(Trap(sprung), 0).decode())
    with closing(sqlite3.connect(session / "session.sqlite")) as connection:
        with suppress(sqlite3.IntegrityError):  # STRICT tables hold no bytes as text
            connection.execute("UPDATE events SET kind = ?", (trap,))
        connection.execute("UPDATE streams SET source = CAST(? AS TEXT)", (trap,))
        connection.commit()
    (session / "frames" / "000000.tif").write_bytes(trap)
    (session / ".model-wish-0.json").write_bytes(trap)
    (session / ".model-in-use.json").write_bytes(trap)
    with suppress(AtomstreamError), SessionReader(session) as reader:
        reader.events()
        reader.streams()
    with suppress(AtomstreamError):
        verify(session)
    assert take_wish(session) is None
    assert in_use(session, "run") is None
    with pytest.raises(AtomstreamError), SessionReader(session) as reader:
        reader.frame(STREAM.id, 0)


def test_a_parquet_file(trap: bytes) -> None:
    column = pa.field(
        "row_px",
        pa.float32(),
        metadata={
            "ARROW:extension:name": "arrow.py_extension_type",
            "ARROW:extension:metadata": trap,
        },
    )
    for key in (b"pandas", b"PANDAS_ATTRS", b"ARROW:schema"):
        schema = pa.schema([column], metadata={key: trap})
        file = io.BytesIO()
        pq.write_table(pa.table([pa.array([1.0], pa.float32())], schema=schema), file)
        with suppress(ValueError):
            assert atoms_table.decode(file.getvalue()).num_rows == 1
    with pytest.raises(ValueError, match="Parquet"):
        atoms_table.decode(trap)


def test_a_model(tmp_path: Path, trap: bytes) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "card.json").write_bytes(trap)
    with pytest.raises(AtomstreamError):
        load_model(str(folder))


@pytest.mark.parametrize("form", ["zip", "bare"])
def test_a_model_that_is_imported(tmp_path: Path, trap: bytes, form: str) -> None:
    path = tmp_path / "unet.tar"
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", trap)
            archive.writestr("archive/version", "3\n")
    else:
        path.write_bytes(trap)
    with pytest.raises(AtomstreamError):
        read_pair(path, None)


def test_settings_of_a_model_in_use(tmp_path: Path, trap: bytes) -> None:
    note = {"run": "run", "model": trap.hex(), "sha256": "../../.."}
    (tmp_path / ".model-in-use.json").write_text(json.dumps(note))
    found_again = in_use(tmp_path, "run")
    assert found_again is not None
    assert found_again.model == trap.hex()
