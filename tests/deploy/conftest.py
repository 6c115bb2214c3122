"""The tools that check what is deployed, and where it lies."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tool(name: str, package: str) -> str:
    """Path of a program; the test is skipped where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}, of {package}")
    return found


@pytest.fixture(scope="session")
def promtool() -> str:
    return tool("promtool", "Debian's package prometheus")


@pytest.fixture(scope="session")
def deploy() -> Path:
    """The folder of what is deployed."""
    return ROOT / "deploy"


@pytest.fixture(scope="session")
def operating() -> str:
    """Text of the page that an operator reads."""
    return (ROOT / "docs" / "operating.md").read_text()
