"""`python -m inference.training OUT`: make the shipped model again, from nothing."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import Progress

from inference.training.make import Recipe, make_model


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m inference.training")
    parser.add_argument("out", type=Path, help="folder that becomes the model")
    make_model(Recipe(), parser.parse_args().out, _stage)


@contextmanager
def _stage(name: str) -> Iterator[Callable[[int, int], None]]:
    with Progress() as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


if __name__ == "__main__":
    main()
