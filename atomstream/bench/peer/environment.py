"""An environment that has the peer in it, made once."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atomstream.progress import progress_bar
from streamer.errors import SettingsError

ATOMAI = "0.8.1"
PYTHON = "3.12"
# AtomAI needs six and does not say so.
REQUIREMENTS = (f"atomai=={ATOMAI}", "six")
OURS = "made-by-atomstream"
"""File in an environment that this program made, and may therefore mend."""
VERSION = "from importlib.metadata import version; print(version('atomai'))"


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

    def version(self) -> str | None:
        """Of the AtomAI that it has; None if it has none."""
        if not self.python.exists():
            return None
        asked = subprocess.run(
            [self.python, "-c", VERSION], capture_output=True, text=True, check=False
        )
        return asked.stdout.strip() if asked.returncode == 0 else None


def default_folder() -> Path:
    """In the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "atomstream" / "atomai"


def prepare(folder: Path) -> Environment:
    """The environment, with AtomAI in it; needs the network if it is to be made.

    Raises
    ------
    SettingsError
        It is something else, has another version, or cannot be made.
    """
    environment = Environment(folder)
    found = environment.version()
    if found == ATOMAI:
        return environment
    if found is not None:
        raise SettingsError(
            f"--peer-env {folder} has AtomAI {found}; figures are for {ATOMAI}"
        )
    if folder.exists() and not (folder / OURS).exists():
        raise SettingsError(
            f"--peer-env {folder} is there already and has no AtomAI; "
            "name a folder that is not there, and it is made"
        )
    make(environment)
    return environment


def make(environment: Environment) -> None:
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
            "--peer atomai makes an environment with uv, which is not here; "
            "install it with: pip install uv"
        )
    folder = environment.folder
    with progress_bar(f"installing AtomAI into {folder}, once") as report:
        report(0, 2)
        if not environment.python.exists():
            _do((uv, "venv", "--python", PYTHON, folder))
            (folder / OURS).touch()
        report(1, 2)
        _install(uv, environment)
        report(2, 2)


def _install(uv: str, environment: Environment) -> None:
    plain = (uv, "pip", "install", "--python", environment.python, *REQUIREMENTS)
    try:
        # The wheels without CUDA are a tenth as large, but not everywhere to be had.
        _do((*plain, "--torch-backend", "cpu"))
    except SettingsError:
        _do(plain)


def _do(command: Sequence[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = " ".join(done.stderr.split())[:300]
        raise SettingsError(
            f"--peer atomai: its environment cannot be made: {reason}; "
            "it needs the network once, and --peer-env DIR can name one that has it"
        )
