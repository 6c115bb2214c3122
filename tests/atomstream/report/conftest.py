"""A session of a small simulated movie, and reports of any."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.atomstream.report.sessions import DEFAULT, Page, exposures, record


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four frames of 3 nm."""
    folder = tmp_path_factory.mktemp("sessions") / "movie"
    return record(folder, exposures(4, 150, 3.0), [DEFAULT] * 4)


@pytest.fixture
def reported(run: Callable[..., object], tmp_path: Path) -> Callable[..., Page]:
    """The page of a report with few pixels."""

    def make(session: Path, *options: str, out: str = "report") -> Page:
        done = run("report", session, tmp_path / out, "--dpi", "50", *options)
        assert (done.code, done.out[-10:] != "") == (0, True), done.err
        return Page(tmp_path / out / "index.html")

    return make
