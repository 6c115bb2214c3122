"""Fixtures for the tests of every package."""

import os
import warnings
from collections.abc import Callable
from functools import cache
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


@pytest.fixture(scope="session")
def saved_by_atomai() -> Path:
    """Folder of files that AtomAI itself saved; beside them is what made them."""
    return Path(__file__).parent / "inference" / "training" / "atomai" / "saved"


@pytest.fixture(scope="session")
def imported(
    tmp_path_factory: pytest.TempPathFactory, saved_by_atomai: Path
) -> Callable[..., Path]:
    """Model made of one or two of those files; each is made once, it takes seconds."""
    pytest.importorskip("torch", reason="needs the extra [train]")
    from inference.training.atomai.bringing import Wanted, bring
    from inference.training.atomai.networks import read_pair

    @cache
    def made(file: str, encoder: str | None = None) -> Path:
        out = tmp_path_factory.mktemp("imported") / "model"
        second = saved_by_atomai / encoder if encoder else None
        unet, vae = read_pair(saved_by_atomai / file, second)
        with warnings.catch_warnings(action="default"):  # torch's exporter has some
            bring(
                unet, vae, Wanted("mine", 1 / 64, crystallinity=-2 if vae else 1), out
            )
        return out

    return made
