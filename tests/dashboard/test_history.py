import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashboard import history as module
from dashboard.bins import Bins
from dashboard.history import SWAPS_REMEMBERED, History, Swap, begun, extended
from dashboard.scene import ANGLE
from streamer.analysis import Analysis
from streamer.atoms import Atoms

type Movie = Callable[[int], Analysis]

PLENTY = 2**30


def history_of(movie: Movie, *seqs: int, scene_bytes: int = PLENTY) -> History:
    first, *others = seqs
    result = begun(movie(first))
    for seq in others:
        result = extended(result, movie(seq), scene_bytes)
    return result


def seqs(history: History) -> tuple[list[int], list[int]]:
    """Numbers of the frames on record, and of those in memory."""
    return history.records["seq"].tolist(), [each.seq for each in history.scenes]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param((0, 1, 2), [0, 1, 2], id="in order"),
        pytest.param((0, 2, 1), [0, 1, 2], id="one comes late"),
        pytest.param((5, 9), [5, 9], id="with a gap"),
        pytest.param((0, 1, 1, 0), [0, 1], id="again: replaces itself"),
    ],
)
def test_frames_stand_in_the_order_of_their_numbers(
    movie: Movie, order: tuple[int, ...], expected: list[int]
) -> None:
    assert seqs(history_of(movie, *order)) == (expected, expected)


def test_scenes_are_dropped_oldest_first_when_their_bytes_are_used_up(
    movie: Movie,
) -> None:
    each = history_of(movie, 0).newest.nbytes
    history = history_of(movie, *range(6), scene_bytes=int(3.5 * each))
    assert seqs(history) == ([0, 1, 2, 3, 4, 5], [3, 4, 5])


def test_the_newest_scene_stays_whatever_its_size(movie: Movie) -> None:
    assert seqs(history_of(movie, 0, 1, scene_bytes=1)) == ([0, 1], [1])


def test_records_are_bounded_too(movie: Movie, monkeypatch: pytest.MonkeyPatch) -> None:
    row = begun(movie(0)).records.itemsize
    monkeypatch.setattr(module, "RECORD_BYTES", 3 * row)
    assert seqs(history_of(movie, *range(5)))[0] == [2, 3, 4]


def test_adding_a_frame_leaves_what_was_handed_out_as_it_was(movie: Movie) -> None:
    before = history_of(movie, 0, 1)
    extended(before, movie(2), PLENTY)
    assert seqs(before) == ([0, 1], [0, 1])
    with pytest.raises(ValueError, match="read-only"):
        before.records["seq"] = 7


def test_a_record_says_what_the_frame_was_like(movie: Movie) -> None:
    analysis = movie(3)
    (row,) = history_of(movie, 3).records
    assert row["time_s"] == analysis.time_s
    assert row["dose_e_nm2"] == analysis.dose_e_nm2
    assert row["counts"].tolist() == list(analysis.summary.counts.values())
    assert row["hole_area_nm2"] == pytest.approx(analysis.summary.hole_area_nm2)


def test_each_atom_counts_once_in_each_histogram(movie: Movie) -> None:
    history = history_of(movie, 0, 30, 60)
    sums = history.records["histograms"].sum(axis=2)
    atoms = [len(movie(seq).atoms) for seq in (0, 30, 60)]
    assert (sums == np.array(atoms)[:, None]).all()


def test_angles_are_counted_over_their_whole_period(movie: Movie) -> None:
    bins = history_of(movie, 0, 60).bins[ANGLE]
    assert (bins.low, bins.high) == (-60.0, 60.0)


def test_all_frames_are_counted_in_the_same_bins_when_these_widen(
    movie: Movie,
) -> None:
    orderly, ruined = movie(0), movie(60)
    low = np.full(len(ruined.atoms), -50.0)
    ruined = replace(
        ruined,
        atoms=Atoms.from_columns({**ruined.atoms.columns(), "crystallinity": low}),
    )
    history = extended(begun(orderly), ruined, PLENTY)
    bins, index = history.bins["crystallinity"], 1
    again = bins.count(orderly.atoms.latents["crystallinity"])
    assert history.quantities[index] == "crystallinity"
    assert history.records["histograms"][0, index].tolist() == again.tolist()
    assert history.scenes[0].histogram("crystallinity", bins).tolist() == again.tolist()


def test_a_latent_without_values_gets_its_bins_from_the_first_that_has_some(
    movie: Movie,
) -> None:
    unknown = np.full(len(movie(0).atoms), math.nan)
    first = replace(
        movie(0),
        atoms=Atoms.from_columns({**movie(0).atoms.columns(), "z1": unknown}),
    )
    assert "z1" not in begun(first).bins
    assert "z1" in extended(begun(first), movie(1), PLENTY).bins


def test_a_model_with_other_latents_keeps_what_both_know(movie: Movie) -> None:
    before = history_of(movie, 0, 1)
    model = replace(movie(2).model, name="other", latents=("z9", "z1"))
    after = extended(before, replace(movie(2), model=model), PLENTY)
    assert seqs(after) == ([0, 1, 2], [2]), "numbers of all, pictures of the new ones"
    assert after.quantities == (ANGLE, "z9", "z1")
    counts = after.records["histograms"].sum(axis=2)
    atoms = [len(movie(seq).atoms) for seq in range(3)]
    assert counts[:, 0].tolist() == counts[:, 2].tolist() == atoms
    assert counts[:, 1].tolist() == [0, 0, 0], "nobody gave a value of z9"
    assert after.records["counts"][:2].tolist() == before.records["counts"].tolist()
    assert after.swaps == (Swap(2, movie(0).model, model),)


def test_angles_of_another_period_are_not_compared(movie: Movie) -> None:
    model = replace(movie(1).model, angle_period_rad=math.pi)
    after = extended(history_of(movie, 0), replace(movie(1), model=model), PLENTY)
    assert after.bins[ANGLE] == Bins(-90.0, 90.0)
    assert after.records["histograms"][:, 0].any(axis=1).tolist() == [False, True]


def test_very_many_swaps_are_not_all_remembered(movie: Movie) -> None:
    history = history_of(movie, 0)
    for seq in range(1, SWAPS_REMEMBERED + 3):
        model = replace(movie(0).model, sha256=f"{seq:064}")
        history = extended(history, replace(movie(0), seq=seq, model=model), 1)
    assert [swap.seq for swap in history.swaps] == list(range(3, SWAPS_REMEMBERED + 3))


def test_a_retrained_model_with_the_same_latents_does_not(movie: Movie) -> None:
    other = replace(movie(2), model=replace(movie(2).model, sha256="1" * 64))
    history = extended(history_of(movie, 0, 1), other, PLENTY)
    assert seqs(history)[0] == [0, 1, 2]
    assert history.model.sha256 == "1" * 64


@pytest.mark.parametrize(
    ("seq", "nearest", "behind"), [(0, 0, 3), (3, 2, 2), (99, 7, 0), (-5, 0, 4)]
)
def test_a_frame_is_found_by_a_number_near_its_own(
    movie: Movie, seq: int, nearest: int, behind: int
) -> None:
    history = history_of(movie, 0, 2, 6, 7)
    assert history.nearest(seq).seq == nearest
    assert history.behind(seq) == behind
