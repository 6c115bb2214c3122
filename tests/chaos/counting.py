"""How often malformed inputs are tried, and what this process has of the machine."""

from pathlib import Path

import pytest


def wanted(config: pytest.Config, short: int, long: int) -> int:
    """`long` when pytest was given --long."""
    return long if config.getoption("--long") else short


def resident_bytes() -> int:
    """Memory that this process really has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def descriptors() -> int:
    """Files and sockets that this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
