"""What `analyze` says in the end."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from streamer.frame import Stream
from streamer.stacks import open_stack
from tests.atomstream.conftest import Outcome

type Run = Callable[..., Outcome]

STREAM = Stream("a", "simulator", "HAADF")


def test_it_says_by_which_model_frames_had_been_analysed_before(
    tmp_path: Path, run: Run, movie: Path
) -> None:
    record = tmp_path / "session"
    assert run("analyze", movie, "--record", record).out == f"3 frames in {record}\n"
    again = run("analyze", movie, "--record", record, "--model", "graphene-si-paper")
    assert again.out == (
        "nothing to do: 3 frames (3 analysed before, by graphene-si; a new folder "
        f"takes another model's or settings') in {record}\n"
    )


def test_it_says_what_a_session_holds_of_other_stacks(
    tmp_path: Path, run: Run, movie: Path
) -> None:
    with open_stack(movie) as stack:
        np.save(tmp_path / "one.npy", stack.frame(0, STREAM).image)
    record = tmp_path / "session"
    first = run("analyze", movie, "--record", record)
    again = run("analyze", movie, "--record", record)
    assert "already" not in first.err + again.err
    added = run("analyze", tmp_path / "one.npy", "--record", record)
    assert added.code == 0
    told = f"{record} holds 3 frames of movie.tif already; those of one.npy become"
    assert told in added.err
    added = run("analyze", tmp_path / "one.npy", "--record", record)
    assert "already" not in added.err
    assert added.out.startswith("nothing to do: 1 frame (")


def test_it_says_which_pixel_size_the_lattice_told(
    tmp_path: Path, run: Run, movie: Path
) -> None:
    with open_stack(movie) as stack:
        np.save(tmp_path / "one.npy", stack.frame(0, STREAM).image)
    record = tmp_path / "session"
    said = run("analyze", tmp_path / "one.npy", "--record", record).out
    pixels = re.search(r"pixels of (0\.01\d+) nm by the lattice", said)
    assert said.startswith("1 frame (flagged: 1 pixel-size-estimated; ")
    assert pixels
    assert abs(float(pixels[1]) / (3 / 192) - 1) < 0.01
    said = run(
        "analyze", tmp_path / "one.npy", "--record", record, "--pixel-size", "0.019"
    ).out
    assert "--estimate-pixel-size asks the lattice" in said
