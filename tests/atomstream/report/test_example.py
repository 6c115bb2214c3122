"""The example in docs/ is made by one command, here in a short form."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.atomstream.report.sessions import Page

ROOT = Path(__file__).parents[3]
MOST_BYTES = 1_500_000


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_example_is_made(tmp_path: Path) -> None:
    script = ROOT / "docs" / "example_report.py"
    command = [sys.executable, str(script), "--frames", "2", "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {
        "report-example.html", "report-real-space.webp", "report-trends.webp",
    }  # fmt: skip
    kept = [ROOT / "docs" / name for name in made]
    assert sum(path.stat().st_size for path in kept) < MOST_BYTES


def test_the_example_shows_what_a_report_shows() -> None:
    page = Page(ROOT / "docs" / "report-example.html")
    assert all(source.startswith("data:") for source in page.sources)
    assert all(link.startswith("#") for link in page.links)
    for said in ("50 of 50", "Latents in real space", "Silicon and edges", "Methods"):
        assert said in page.text
