"""What `analyze` says in the end."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.card import read_card
from inference.catalogue import DEFAULT, find_model
from inference.model import load_model
from inference.training.scaled import trial_in_words
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
        "nothing to do: 3 frames (3 analysed before, by graphene-si with --refine; "
        f"a new folder takes another model's or settings') in {record}\n"
    )


def test_it_says_how_positions_had_been_found_before(
    tmp_path: Path, run: Run, movie: Path
) -> None:
    record = tmp_path / "session"
    run("analyze", movie, "--record", record, "--no-refine")
    again = run("analyze", movie, "--record", record)
    assert "3 analysed before, by graphene-si with --no-refine; a new" in again.out


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


def test_a_session_shows_by_what_and_how_its_frames_were_analysed(
    tmp_path: Path, run: Run, movie: Path
) -> None:
    record = tmp_path / "session"
    run("analyze", movie, "--record", record, "--pixel-size", "0.019", "--no-refine")
    shown = " ".join(run("sessions", "show", record).out.split())
    sha256 = load_model(DEFAULT).id.sha256[:12]
    assert (
        f"stream 0: 3 analysed by graphene-si ({sha256}) on CPUExecutionProvider, "
        "pixels of 0.019 nm (told); flagged: 3 pixel-size-doubtful"
    ) in shown


@pytest.mark.parametrize("is_trial", [True, False])
def test_a_model_that_was_made_to_try_things_out_is_warned_of(
    tmp_path: Path, run: Run, movie: Path, is_trial: bool
) -> None:
    model = tmp_path / "trial"
    shutil.copytree(find_model(DEFAULT), model)
    card = read_card(model).model_dump(mode="json")
    card["notes"] = [trial_in_words(0.01)] if is_trial else ["Of gold."]
    (model / "card.json").write_text(json.dumps(card))
    record = tmp_path / "session"
    outcome = run("analyze", movie, "--record", record, "--model", model)
    assert outcome.code == 0
    warning = "warning: graphene-si: Made to try things out, with 0.01 of the recipe"
    assert (warning in outcome.err) == is_trial


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
