"""What is kept of a training until it is finished, so that a killed run can go on.

In the model's folder, `training/` holds the plan (what is made, from what, with which
seed), simulated data, and the state of each fit. Every file is there whole or not at
all. When the model is finished the folder is removed.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from inference.card import CARD_FILE
from streamer.errors import ModelError
from streamer.frame import JsonValue
from streamer.session.durable import make_folder, write_file

FOLDER = "training"
PLAN_FILE, LOCK_FILE = "plan.json", ".lock"
OURS = ("*.pt", "*.npz", ".*.tmp", PLAN_FILE)
UNREADABLE = (
    OSError, ValueError, LookupError, EOFError, RuntimeError, TypeError, AttributeError,
    BadZipFile, UnpicklingError,
)  # fmt: skip
"""What numpy, torch and json raise when they read something that is not theirs."""

type Arrays = Mapping[str, NDArray[Any]]
type Plan = dict[str, JsonValue]


class Unfinished:
    """The folder `training` of a model, held by one process; from `unfinished`."""

    def __init__(self, model: Path) -> None:
        self.model = model
        self._folder = model / FOLDER

    def arrays(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """What was kept under this name, or what `make` gives, kept from now on."""
        kept = self.kept_arrays(name)
        return self.keep_arrays(name, make()) if kept is None else kept

    def kept_arrays(self, name: str) -> Arrays | None:
        """Arrays of a run before, by name; None if there are none.

        Raises
        ------
        ModelError
            They cannot be read.
        """
        data = self.kept(f"{name}.npz")
        if data is None:
            return None
        with readable(self.path(f"{name}.npz")), np.load(io.BytesIO(data)) as file:
            return dict(file)

    def keep_arrays(self, name: str, arrays: Arrays) -> Arrays:
        """Keep arrays for a run after this one; gives them back.

        Raises
        ------
        ModelError
            No room, or no permission.
        """
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        self.keep(f"{name}.npz", buffer.getvalue())
        return arrays

    def kept(self, name: str) -> bytes | None:
        """What a run before kept in the file of this name; None if it did not.

        Raises
        ------
        ModelError
            It cannot be read.
        """
        path = self.path(name)
        with readable(path):
            return path.read_bytes() if path.exists() else None

    def keep(self, name: str, data: bytes) -> None:
        """Replace what is kept in the file of this name.

        Raises
        ------
        ModelError
            No room, or no permission.
        """
        with writable(self._folder):
            write_file(self.path(name), data)

    def path(self, name: str) -> Path:
        """Where the file of this name is."""
        return self._folder / name

    def begin(self, plan: Plan, *, restart: bool) -> None:
        """Go on with what is there if it is of the same plan, else begin.

        Raises
        ------
        ModelError
            Another plan's training, and no `restart`; or a folder that cannot be used.
        """
        if restart:
            self._clear()
        found = self._plan()
        if found is None:
            self.keep(PLAN_FILE, (json.dumps(plan, indent=2) + "\n").encode())
        elif difference := _first_difference(found, json.loads(json.dumps(plan))):
            raise ModelError(
                f"{self.model} holds the unfinished training of another model "
                f"({difference}); choose another folder, or add --restart to give "
                "that one up"
            )

    def finish(self) -> None:
        """Remove the folder: the model is made."""
        with writable(self._folder):
            self._clear()
            (self._folder / LOCK_FILE).unlink(missing_ok=True)
            with suppress(OSError):  # somebody else's file is in it, and stays
                self._folder.rmdir()

    def _plan(self) -> Plan | None:
        data = self.kept(PLAN_FILE)
        with readable(self.path(PLAN_FILE)):
            plan: Plan | None = None if data is None else json.loads(data)
            return plan

    def _clear(self) -> None:
        with writable(self._folder):
            for pattern in OURS:
                for path in self._folder.glob(pattern):
                    path.unlink()


@contextmanager
def unfinished(model: Path, plan: Plan, *, restart: bool) -> Iterator[Unfinished]:
    """The training of this plan in a model's folder, removed when it ends well.

    Raises
    ------
    ModelError
        As for `Unfinished.begin`; or a finished model, and no `restart`; or another
        process is training there.
    """
    folder = model / FOLDER
    finished = (model / CARD_FILE).exists() and not (folder / PLAN_FILE).exists()
    if finished and not restart:
        raise ModelError(
            f"{model} is a finished model; choose another folder, or add --restart to "
            "make it again"
        )
    with writable(folder):
        make_folder(folder)
        lock = FileLock(folder / LOCK_FILE)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise ModelError(f"{model}: another process is training there") from error
    with lock:
        held = Unfinished(model)
        held.begin(plan, restart=restart)
        yield held
        held.finish()


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Block in which a disk that takes no more becomes a `ModelError` of one line."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise ModelError(
            f"{where} cannot be written: {error.strerror or error}; the same command "
            "goes on from there once it can"
        ) from error


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Block in which a file that is not what we wrote becomes a `ModelError`."""
    try:
        yield
    except UNREADABLE as error:
        raise ModelError(
            f"{path} cannot be read as part of a training; add --restart to begin again"
        ) from error


def _first_difference(there: Any, here: Any, where: str = "") -> str | None:  # noqa: ANN401 (JSON)
    """The first value in which two plans differ, in words."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted({*there, *here}):
            inside = f"{where}.{key}" if where else key
            found = _first_difference(there.get(key), here.get(key), inside)
            if found:
                return found
        return None
    return None if there == here else f"{where}: {there} there, {here} asked for"
