"""CPU time of other processes, as Linux tells it."""

import os
from pathlib import Path

from streamer.errors import SettingsError


def cpu_s(pid: int) -> float:
    """User and system time of a process, all of its threads, in seconds.

    Raises
    ------
    SettingsError
        It has ended, or this system does not tell.
    """
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SettingsError(
            f"nothing is known of process {pid}: {error.strerror}; this benchmark "
            "needs Linux, and a service that lives until its end"
        ) from error
    # The second field is a name in brackets, in which anything may stand.
    fields = told.rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")
