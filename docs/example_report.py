"""Makes the example report in this folder, from the demo's movie.

Run it as `uv run python docs/example_report.py`; some minutes. With `--frames 3` and
`--out FOLDER`, which are for CI, it makes a short one elsewhere.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
DPI = "64"
PICTURES = ("real-space", "trends")
"""Figures that docs/report.md shows."""


def main() -> None:
    """Record the movie, report it, take the page and two pictures."""
    options = argparse.ArgumentParser()
    options.add_argument("--frames", type=int, default=50)
    options.add_argument("--out", type=Path, default=HERE)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        session, whole, alone = (Path(folder) / name for name in ("demo", "all", "one"))
        run("demo", "--frames", str(asked.frames), "--speed", "1000",
            "--no-dashboard", "--record", session)  # fmt: skip
        run("report", session, whole, "--dpi", DPI)
        run("report", session, alone, "--dpi", DPI, "--page-only")
        shutil.copy(alone / "index.html", asked.out / "report-example.html")
        for name in PICTURES:
            picture = whole / "figures" / f"{name}.png"
            shutil.copy(picture, asked.out / f"report-{name}.png")


def run(*arguments: str | Path) -> None:
    """A command of this project, to its end."""
    command = [sys.executable, "-m", "atomstream", *map(str, arguments)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
