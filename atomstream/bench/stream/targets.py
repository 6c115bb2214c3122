"""What receiving should take, and what it took."""

from collections.abc import Iterator

from atomstream.bench.stream.figures import StreamFigures
from inference.evaluation.reach import Reach, Row

NOMINAL_PX = 1024
CPU_OF_BARE, CPU_OF_PEER = 1.10, 1.0
LATENCY_MS = 5
DURABLE_PER_S = 40


def rows(figures: StreamFigures) -> Iterator[Row]:
    """Ratios and durations, beside what they should be."""
    for ours in figures.received:
        if ours.receiver != "ours":
            continue
        where = f"{ours.size_px}² {ours.transport}"
        for receiver, most in (
            ("bare", CPU_OF_BARE),
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
            Reach(high=LATENCY_MS) if nominal else None,
        )
    durable = figures.durable
    nominal = durable.size_px == NOMINAL_PX
    yield Row(
        "committed to the disk, frames/s",
        f"{durable.size_px}²",
        durable.frames_per_s,
        Reach(low=DURABLE_PER_S) if nominal else None,
    )
