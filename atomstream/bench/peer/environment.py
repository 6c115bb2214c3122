"""An environment that has the peer in it, made once."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from atomstream.progress import progress_bar
from streamer.errors import SettingsError

PYTHON = "3.12"
OURS = "made-by-atomstream"
"""File in an environment that this program made, and may therefore mend."""


@dataclass(frozen=True, slots=True)
class Package:
    """What a peer is installed from."""

    title: str
    name: str
    """On PyPI, and on the command line."""
    version: str
    """That the figures are for."""
    needs: tuple[str, ...] = ()
    """What else it needs and does not say so."""
    has_torch: bool = False

    @property
    def requirements(self) -> tuple[str, ...]:
        """What is installed."""
        return (f"{self.name}=={self.version}", *self.needs)


ATOMAI = Package("AtomAI", "atomai", "0.8.1", needs=("six",), has_torch=True)
KARABO_BRIDGE = Package("karabo-bridge", "karabo-bridge", "0.7.0")


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        if os.name == "nt":
            return self.folder / "Scripts" / "python.exe"
        return self.folder / "bin" / "python"

    def version(self, package: Package) -> str | None:
        """Of the package that it has; None if it has none."""
        if not self.python.exists():
            return None
        ask = (
            f"from importlib.metadata import version; print(version('{package.name}'))"
        )
        asked = subprocess.run(
            [self.python, "-c", ask], capture_output=True, text=True, check=False
        )
        return asked.stdout.strip() if asked.returncode == 0 else None


def default_folder(package: Package) -> Path:
    """In the user's cache."""
    told = os.environ.get("XDG_CACHE_HOME")
    cache = Path(told) if told else Path.home() / ".cache"
    return cache / "atomstream" / package.name


def prepare(folder: Path, package: Package) -> Environment:
    """The environment, with the package in it; needs the network if it is to be made.

    Raises
    ------
    SettingsError
        It is something else, has another version, or cannot be made.
    """
    environment = Environment(folder)
    found = environment.version(package)
    if found == package.version:
        return environment
    if found is not None:
        raise SettingsError(
            f"--peer-env {folder} has {package.title} {found}; "
            f"figures are for {package.version}"
        )
    if folder.exists() and not (folder / OURS).exists():
        raise SettingsError(
            f"--peer-env {folder} is there already and has no {package.title}; "
            "name a folder that is not there, and it is made"
        )
    make(environment, package)
    return environment


def make(environment: Environment, package: Package) -> None:
    """Make the environment, or go on with making it.

    Raises
    ------
    SettingsError
        It cannot be made: no uv, no network, no room.
    """
    # Set by `uv run`, which need not be on the path.
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise SettingsError(
            f"--peer {package.name} makes an environment with uv, which is not here; "
            "install it with: pip install uv"
        )
    folder = environment.folder
    with progress_bar(f"installing {package.title} into {folder}, once") as report:
        report(0, 2)
        if not environment.python.exists():
            _do((uv, "venv", "--python", PYTHON, folder), package)
            (folder / OURS).touch()
        report(1, 2)
        _install(uv, environment, package)
        report(2, 2)


def _install(uv: str, environment: Environment, package: Package) -> None:
    into = ("--python", str(environment.python))
    plain = (uv, "pip", "install", *into, *package.requirements)
    if package.has_torch:
        with suppress(SettingsError):
            # The wheels without CUDA are a tenth as large, but not had everywhere.
            _do((*plain, "--torch-backend", "cpu"), package)
            return
    _do(plain, package)


def _do(command: Sequence[str | Path], package: Package) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = " ".join(done.stderr.split())[:300]
        raise SettingsError(
            f"--peer {package.name}: its environment cannot be made: {reason}; "
            "it needs the network once, and --peer-env DIR can name one that has it"
        )
