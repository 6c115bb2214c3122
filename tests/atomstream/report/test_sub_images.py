"""What a report says of sub-images, of any session."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from atomstream.report.figure import Drawn
from atomstream.report.opening import material_of
from atomstream.report.sections.sub_images import draw
from atomstream.report.wish import Window, Wish
from streamer.frame import Frame
from streamer.session.reader import SessionReader
from tests.atomstream.report.sessions import (
    DEFAULT,
    PAPER,
    Page,
    blank,
    exposures,
    record,
)

type Reported = Callable[..., Page]
PAPERS, OURS = "rVAE (paper's)", "graphene-si's encoder"
ALL = ("GMM", "convolutional AE", "plain VAE", PAPERS, OURS)
SMALL, LARGE, ROTATION = (
    f"sub-images-{name}" for name in ("small", "large", "rotation")
)
WIDE = (2, 320, 5.0)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two frames of 5 nm."""
    folder = tmp_path_factory.mktemp("wide") / "movie"
    return record(folder, exposures(*WIDE), [DEFAULT] * 2)


def section(session: Path, window: Window) -> tuple[dict[str, Drawn], str]:
    """Figures of the section by name, and what is said beside them."""
    with SessionReader(session) as reader:
        material = material_of(reader, None, None, (), 1)
        assert material is not None
        told = list(draw(material, Wish(window), lambda _done, _total: None))
    figures = {one.name: one for one in told if isinstance(one, Drawn)}
    words = [one.text for one in told if not isinstance(one, Drawn)]
    return figures, " ".join(words)


def test_it_says_in_numbers_why_rotation_must_be_taken_out(wide: Path) -> None:
    figures, words = section(wide, Window.BOTH)
    assert (set(figures), words) == ({SMALL, LARGE, ROTATION}, "")
    rows = figures[ROTATION].tables["sub-images-methods"].to_pylist()
    assert [(row["window"], row["method"]) for row in rows] == [
        (size, method) for size in ("small", "large") for method in ALL
    ]
    for row in rows:
        apart = row["class_similarity_turned"] - row["class_similarity"]
        if row["method"] == OURS:
            assert row["rotation_leak"] < 0.15
            assert row["class_similarity"] > 0.85
            assert apart < 0.05
            assert row["angle_deg"] < 2
        elif row["method"] != PAPERS:
            assert row["rotation_leak"] > 0.8
            assert apart > 0.2
            assert np.isnan(row["angle_deg"])
    # The paper's takes it out of small windows in part.
    papers = next(row for row in rows if row["method"] == PAPERS)
    assert papers["angle_deg"] < 3
    assert papers["class_similarity"] > 0.75


def test_its_numbers_lie_beside_it(reported: Reported, wide: Path) -> None:
    page = reported(wide, "--window", "small")
    assert page.figures & {SMALL, LARGE, ROTATION} == {SMALL, ROTATION}
    latents = page.table(f"{SMALL}-latents")
    assert set(latents["frame"].to_pylist()) == {0, 1}
    assert {"gmm_1", "plain_vae_2", "rvae_paper_s_angle_rad"} <= {*latents.column_names}
    assert np.mean(latents["held_out"].to_pylist()) == pytest.approx(0.25, abs=0.01)
    drawn = pyarrow.parquet.read_table(
        page.folder / "tables" / f"{SMALL}-manifolds.parquet"
    )
    assert {*drawn["method"].to_pylist()} == {*ALL[1:]}
    # Of the same session another report says the same.
    figures, _ = section(wide, Window.SMALL)
    again = figures[SMALL].tables[f"{SMALL}-latents"]
    for name in ("gmm_1", "plain_vae_1", "graphene_si_s_encoder_2"):
        assert np.allclose(latents[name], again[name])


FEW: dict[str, tuple[Sequence[Frame], str]] = {
    "too small for large windows": (
        exposures(1, 64, 1.2), "Large windows (1.02 nm wide): 0 sub-images lie",
    ),
    "few atoms": (exposures(1, 100, 1.8), "too few to compare methods on"),
    "no atoms": ((blank(0),), "Small windows (0.51 nm wide): 0 sub-images"),
}  # fmt: skip


@pytest.mark.parametrize("case", FEW)
def test_where_there_are_too_few_a_sentence_says_so(tmp_path: Path, case: str) -> None:
    frames, says = FEW[case]
    session = record(tmp_path / "few", frames, [DEFAULT] * len(frames))
    figures, words = section(session, Window.BOTH)
    assert says in words
    assert LARGE not in figures


def test_of_one_frame_whose_windows_are_whole_if_they_are_small(tmp_path: Path) -> None:
    session = record(tmp_path / "one", exposures(*WIDE)[:1], [PAPER])
    figures, _ = section(session, Window.SMALL)
    rows = figures[ROTATION].tables["sub-images-methods"].to_pylist()
    # The model that saw the session is the one that is shown.
    assert [row["method"] for row in rows] == [*ALL[:-1], f"{PAPER}'s encoder"]


def test_frames_without_atoms_among_others_are_passed_over(tmp_path: Path) -> None:
    first, *_ = exposures(*WIDE)
    frames = [first, replace(blank(1), start_ns=first.start_ns)]
    figures, _ = section(record(tmp_path / "some", frames, [DEFAULT] * 2), Window.SMALL)
    assert set(figures) == {SMALL, ROTATION}


def test_without_the_models_files_it_asks_for_them(tmp_path: Path) -> None:
    session = record(tmp_path / "gone", exposures(*WIDE)[:1], [DEFAULT])
    with SessionReader(session) as reader:
        material = material_of(reader, None, None, (), 1)
        assert material is not None
        (told,) = draw(replace(material, models={}), Wish(), lambda _done, _total: None)
    assert not isinstance(told, Drawn)
    assert "name their folder with --model" in told.text
