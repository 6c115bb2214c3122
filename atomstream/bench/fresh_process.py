"""What a command takes as a process of its own, from its very start."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atomstream.bench import launch
from streamer.errors import SettingsError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Taken:
    """By a process that did its work."""

    stdout: str
    first_line_s: float
    """From its start to the first line that it wrote."""
    cpu_s: float
    peak_mb: float
    """Of memory (resident), in 10⁶ bytes."""


def run_fresh(
    command: Sequence[str | Path], threads: int, folder: Path | None = None
) -> Taken:
    """Run a command to its end.

    Parameters
    ----------
    threads
        That its BLAS and OpenMP may use.
    folder
        In which it works; this process's own if None.

    Raises
    ------
    SettingsError
        It failed; the last line that it wrote to stderr says why.
    """
    # Isolated and without site-packages: so it is small, and starts at once.
    launcher = [sys.executable, "-I", "-S", launch.__file__]
    done = subprocess.run(
        [*launcher, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(threads),
        cwd=folder,
    )
    told: dict[str, Any] = {"exit_code": done.returncode}
    if done.returncode == 0:
        told = json.loads(done.stdout)
    if told["exit_code"] != 0:
        raise SettingsError(
            f"{Path(command[0]).name} failed with {told['exit_code']}: "
            f"{last_line(done.stderr)}"
        )
    return Taken(told["stdout"], told["first_line_s"], told["cpu_s"], told["peak_mb"])


def environment(threads: int) -> dict[str, str]:
    """Of this process, with so many threads for BLAS and OpenMP, which wait asleep.

    Threads that wait busily would count as CPU time.
    """
    limits = dict.fromkeys(THREAD_VARIABLES, str(threads))
    return {**os.environ, **limits, "OMP_WAIT_POLICY": "PASSIVE"}


def last_line(text: str) -> str:
    """The last that was said, in which programs say what went wrong."""
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"
