"""What receiving should take, and what it took."""

from collections.abc import Iterator

from atomstream.bench.stream.figures import StreamFigures
from atomstream.bench.stream.runs import CURVE
from inference.evaluation.reach import Reach, Row

NOMINAL_PX = 1024
CPU_OF_BARE, CPU_OF_PEER = 1.10, 1.0
CPU_OF_BARE_CURVE = 1.11
"""Encrypted: nine tenths of the bare loop's frames with the same CPU."""
LATENCY_MS = 5
DURABLE_PER_S = 40


def rows(figures: StreamFigures) -> Iterator[Row]:
    """Ratios and durations, beside what they should be."""
    for ours in figures.received:
        if ours.receiver != "ours":
            continue
        is_curve = ours.transport == CURVE
        where = f"{ours.size_px}² {ours.transport}"
        for receiver, most in (
            ("bare", CPU_OF_BARE_CURVE if is_curve else CPU_OF_BARE),
            ("checked", None),
            ("karabo-bridge", CPU_OF_PEER),
        ):
            other = figures.find(receiver, ours.transport, ours.size_px)
            if other:
                ratio = ours.cpu_ms.p50 / other.cpu_ms.p50
                reach = Reach(high=most) if most else None
                yield Row(f"CPU a frame, of {receiver}", where, ratio, reach)
        nominal = ours.size_px == NOMINAL_PX
        yield Row(
            "latency p50, ms",
            where,
            ours.latency_ms.p50,
            Reach(high=LATENCY_MS) if nominal and not is_curve else None,
        )
    durable = figures.durable
    nominal = durable.size_px == NOMINAL_PX
    yield Row(
        "committed to the disk, frames/s",
        f"{durable.size_px}²",
        durable.frames_per_s,
        Reach(low=DURABLE_PER_S) if nominal else None,
    )
