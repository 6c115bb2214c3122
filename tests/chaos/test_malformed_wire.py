"""Whatever arrives: a message, or the one error; and it costs no memory."""

import time
import tracemalloc
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamer.errors import WireError
from streamer.wire import unpack
from tests.chaos.counting import resident_bytes, wanted
from tests.chaos.mutation import HOSTILE, VALID, Parts, header_of, mutant, with_header
from tests.streamer.test_wire import json_values

type Report = Callable[..., None]

MIB = 2**20
SLOWEST_S = 2.0
"""For one message, on a machine that has other things to do."""


def kind(parts: Parts) -> str:
    """What is made of a message: its kind, or "refused"."""
    try:
        return type(unpack(parts).message).__name__
    except WireError as error:
        said = str(error)
        assert 0 < len(said) < 1000
        assert "\n" not in said
        return "refused"


def test_every_kind_of_message_is_mutated() -> None:
    kinds = {"Frame", "Analysis", "Heartbeat", "End", "Request", "Unavailable", "Done"}
    assert {kind(parts) for parts in VALID.values()} == kinds


def test_mutants_are_refused_by_one_error_and_memory_stays_flat(
    pytestconfig: pytest.Config,
    report: Report,
) -> None:
    count = wanted(pytestconfig, 5_000, 200_000)
    for seed in range(-500, 0):
        kind(mutant(seed))
    before, began, slowest = resident_bytes(), time.monotonic(), 0.0
    outcomes: Counter[str] = Counter()
    for seed in range(count):
        parts = mutant(seed)
        start = time.thread_time()
        outcomes[kind(parts)] += 1
        slowest = max(slowest, time.thread_time() - start)
    grown = resident_bytes() - before
    report(
        count=count,
        outcomes=outcomes,
        grown_mib=round(grown / MIB, 1),
        slowest_ms=round(1000 * slowest, 1),
        seconds=round(time.monotonic() - began, 1),
    )
    assert outcomes.total() == count
    assert outcomes["refused"] > count / 2
    assert len(outcomes) > 5  # some changes do no harm
    assert grown < 32 * MIB
    assert slowest < SLOWEST_S


def test_no_mutant_takes_more_memory_than_its_header_may(
    pytestconfig: pytest.Config,
    report: Report,
) -> None:
    highest = 0
    tracemalloc.start()
    for seed in range(wanted(pytestconfig, 500, 5_000)):
        parts = mutant(seed)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        kind(parts)
        highest = max(highest, tracemalloc.get_traced_memory()[1] - held)
    tracemalloc.stop()
    report(peak_mib=round(highest / MIB, 1))
    assert highest < 96 * MIB


def test_any_value_in_any_field_is_a_message_or_the_one_error(
    pytestconfig: pytest.Config,
) -> None:
    @settings(
        max_examples=wanted(pytestconfig, 300, 20_000),
        # The short form is always the same: what only luck finds is for the long one.
        derandomize=not pytestconfig.getoption("--long", default=False),
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        name=st.sampled_from(sorted(VALID)),
        values=st.lists(json_values | st.sampled_from(HOSTILE), min_size=1, max_size=3),
        data=st.data(),
    )
    def holds(name: str, values: list[object], data: st.DataObject) -> None:
        parts = VALID[name]
        fields = header_of(parts)
        for value in values:
            fields[data.draw(st.sampled_from(sorted(fields)))] = value
        kind(with_header(parts, fields))

    holds()


def test_a_message_after_all_that_is_accepted() -> None:
    for seed in range(100):
        kind(mutant(seed))
    assert kind(VALID["frame"]) == "Frame"
