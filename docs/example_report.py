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

from PIL import Image

HERE = Path(__file__).parent
DPI = "50"
QUALITY = 80
PICTURES = ("real-space", "trends")
"""Figures that docs/report.md shows."""


def main() -> None:
    """Record the movie, report it, take the page and two pictures."""
    options = argparse.ArgumentParser()
    options.add_argument("--frames", type=int, default=50)
    options.add_argument("--out", type=Path, default=HERE)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        run(there, "demo", "--frames", str(asked.frames), "--speed", "1000",
            "--no-dashboard", "--record", "demo")  # fmt: skip
        run(there, "report", "demo", "whole", "--dpi", DPI)
        run(there, "report", "demo", "report", "--dpi", DPI, "--page-only")
        shutil.copy(there / "report" / "index.html", asked.out / "report-example.html")
        for name in PICTURES:
            with Image.open(there / "whole" / "figures" / f"{name}.png") as picture:
                small = picture.convert("RGB")
                small.save(asked.out / f"report-{name}.webp", quality=QUALITY)


def run(folder: Path, *arguments: str) -> None:
    """A command of this project, to its end, in a folder."""
    command = [sys.executable, "-m", "atomstream", *arguments]
    subprocess.run(command, check=True, cwd=folder)


if __name__ == "__main__":
    main()
