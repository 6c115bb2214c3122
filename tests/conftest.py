"""Fixtures for the tests of every package."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real frames, which are not part of the project."""
    beside = Path(__file__).parents[1] / ".." / "shared" / "data"
    folder = Path(os.environ.get("ATOMSTREAM_TEST_DATA", beside)).resolve()
    if not folder.is_dir():
        pytest.skip("no real frames here: ATOMSTREAM_TEST_DATA names their folder")
    return folder
