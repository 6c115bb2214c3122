"""Histograms of a frame: bins that are the model's, and every atom in one."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.card import EncoderCard, read_card
from inference.catalogue import find_model
from inference.histograms import histograms_of, ranges_of
from streamer.atoms import FIXED_COLUMNS, Atoms
from streamer.histogram import BINS

PERIOD = 2 * math.pi / 3
THROUGH = (-PERIOD / 2, PERIOD / 2)


def encoder(name: str) -> EncoderCard:
    return read_card(find_model(name)).encoder


def atoms(**columns: list[float]) -> Atoms:
    count = len(next(iter(columns.values())))
    known: dict[str, NDArray[np.generic]] = {
        name: np.zeros(count, dtype) for name, dtype in FIXED_COLUMNS.items()
    }
    known |= {name: np.array(value, np.float32) for name, value in columns.items()}
    return Atoms.from_columns(known)


def test_a_card_without_ranges_counts_latents_as_their_prior() -> None:
    ranges = ranges_of(encoder("graphene-si"))
    assert ranges == {
        "angle_rad": (pytest.approx(-PERIOD / 2), pytest.approx(PERIOD / 2)),
        "crystallinity": (0.0, 1.0),
        "z1": (-5.0, 5.0),
        "z2": (-5.0, 5.0),
    }


def test_a_decoders_ranges_are_counted_with_room_to_spare() -> None:
    card = encoder("graphene-si-paper")
    assert card.decoder is not None
    ranges = ranges_of(card)
    for name, (low, high) in zip(
        card.decoder.latents, card.decoder.ranges, strict=True
    ):
        room = (high - low) / 2
        assert ranges[name] == pytest.approx((low - room, high + room))
    assert ranges["dx"] == ranges["dy"] == (-5.0, 5.0)


@pytest.mark.parametrize(
    ("angle_rad", "turns"), [(0.1, 0), (0.1, 1), (0.1, -2), (2.0, 0), (-0.01, 0)]
)
def test_an_angle_counts_within_its_period(angle_rad: float, turns: int) -> None:
    found = histograms_of(
        atoms(angle_rad=[angle_rad + turns * PERIOD]), {"angle_rad": THROUGH}
    )["angle_rad"]
    expected = int(((angle_rad / PERIOD + 0.5) % 1) * BINS)
    assert found.counts.index(1) == expected


@pytest.mark.parametrize("angle_rad", [-PERIOD / 2, PERIOD / 2])
def test_an_angle_at_the_end_of_its_period_is_not_lost(angle_rad: float) -> None:
    counted = histograms_of(atoms(angle_rad=[angle_rad]), {"angle_rad": THROUGH})
    found = counted["angle_rad"]
    assert found.counts[0] + found.counts[-1] == 1


def test_each_atom_is_in_each_histogram() -> None:
    found = histograms_of(
        atoms(angle_rad=[math.nan, 1, 2], z1=[-7, 0, 7], edge=[True, False, True]),
        {"angle_rad": THROUGH, "z1": (-5.0, 5.0)},
    )
    assert [each.atoms for each in found.values()] == [3, 3]
    assert found["angle_rad"].unknown == 1
    assert (found["z1"].below, found["z1"].above) == (1, 1)
