"""What a process that was started to be measured says, a line at a time."""

import subprocess
from typing import IO

from atomstream.bench.fresh_process import last_line
from streamer.errors import SettingsError


def next_line(process: subprocess.Popen[str], does: str) -> str:
    """What `process`, which `does` something, says next.

    Raises
    ------
    SettingsError
        It failed instead; the last line of its stderr says why.
    """
    line = _pipe(process.stdout).readline()
    if not line:
        process.kill()
        why = last_line(_pipe(process.stderr).read())
        raise SettingsError(f"{does} failed: {why}")
    return line


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
