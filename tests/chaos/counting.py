"""How many times the malformed inputs are tried, and what is written down of it."""

import json
import sys
from pathlib import Path

import pytest


def wanted(config: pytest.Config, short: int, long: int) -> int:
    """`long` when pytest was given --long."""
    return long if config.getoption("--long", default=False) else short


def tell(config: pytest.Config, **figures: object) -> None:
    """One line of JSON with what was measured, past pytest's capture."""
    line = json.dumps(figures)
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        sys.stdout.write(f"\n{line}\n")


def resident_bytes() -> int:
    """Memory that this process really has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def descriptors() -> int:
    """Files and sockets that this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
