"""What the analysis should reach on an idle machine with two threads."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from atomstream.bench.figures import FrameFigures, InferenceFigures
from atomstream.bench.peer.figures import PeerFigures
from inference.evaluation.reach import Reach, Row

UNREFINED_MS: Mapping[int, float] = MappingProxyType(
    {512: 60, 1024: 150, 2048: 700, 4096: 3000}
)
"""Median, by the frame's side in pixels."""
NOMINAL_PX = 1024
NOMINAL_P99_MS = 250
NOMINAL_REFINED_MS = 500
PEAK_MB: Mapping[int, float] = MappingProxyType({1024: 350, 4096: 1500})
GEMM_SHARE = 0.4
LINEAR = 1.1
"""CPU time a pixel of a large frame over that of a small one: linear to a tenth."""
REST_SHARE = 0.4
START_S = 3
PEER_CPU, PEER_REFINED_CPU, PEER_MEMORY = 15, 50, 4


def rows(figures: InferenceFigures) -> Iterator[Row]:
    """What was measured, beside what it should reach."""
    for frame in figures.frames:
        yield from frame_rows(frame)
    yield from growth_rows(figures.frames)
    start = figures.start
    yield Row(
        "start to first result, s",
        f"{start.size_px}²",
        start.first_result_s,
        Reach(high=START_S),
    )
    if figures.peer:
        yield from peer_rows(figures.peer)


def frame_rows(frame: FrameFigures) -> Iterator[Row]:
    """One size of frame."""
    where = f"{frame.size_px}²"
    nominal = frame.size_px == NOMINAL_PX
    plain, refined = frame.unrefined, frame.refined

    def row(what: str, measured: float, reach: Reach | None) -> Row:
        return Row(what, where, measured, reach)

    yield row(
        "p50, not refined, ms",
        plain.frame.wall_ms.p50,
        _most(UNREFINED_MS.get(frame.size_px)),
    )
    yield row(
        "p99, not refined, ms",
        plain.frame.wall_ms.p99,
        _most(NOMINAL_P99_MS if nominal else None),
    )
    yield row(
        "p50, refined, ms",
        refined.frame.wall_ms.p50,
        _most(NOMINAL_REFINED_MS if nominal else None),
    )
    yield row(
        "peak memory, refined, MB", refined.peak_mb, _most(PEAK_MB.get(frame.size_px))
    )
    yield row(
        "network, share of GEMM peak",
        plain.network.share_of_gemm,
        Reach(low=GEMM_SHARE) if nominal else None,
    )
    yield row(
        "all but networks and fit, share",
        plain.rest_share,
        _most(REST_SHARE if nominal else None),
    )


def growth_rows(frames: tuple[FrameFigures, ...]) -> Iterator[Row]:
    """CPU time a pixel of the largest frame, in that of the smallest: 1 if linear."""
    if len(frames) < 2:
        return
    small = min(frames, key=lambda frame: frame.size_px)
    large = max(frames, key=lambda frame: frame.size_px)
    where = f"{large.size_px}² / {small.size_px}²"
    pairs = {
        "CPU time a pixel, not refined": (large.unrefined, small.unrefined),
        "CPU time a pixel, refined": (large.refined, small.refined),
    }
    pixels = (large.size_px / small.size_px) ** 2
    for what, (most, least) in pairs.items():
        times = most.frame.cpu_ms.p50 / least.frame.cpu_ms.p50
        yield Row(what, where, times / pixels, _most(LINEAR))


def peer_rows(peer: PeerFigures) -> Iterator[Row]:
    """How many times less than the peer, where it was measured."""
    for frame in peer.frames:
        where = f"{frame.size_px}²"
        nominal = frame.size_px == NOMINAL_PX
        ratios = frame.ratios
        for what, measured, least in (
            ("CPU time less, not refined", ratios.cpu, PEER_CPU),
            ("CPU time less, refined", ratios.refined_cpu, PEER_REFINED_CPU),
            ("memory less, refined", ratios.refined_memory, PEER_MEMORY),
        ):
            if measured is not None:
                reach = Reach(low=least) if nominal else None
                yield Row(f"{peer.name}: {what}", where, measured, reach)
        yield Row(f"{peer.name}: atoms for each of ours", where, ratios.atoms)


def _most(value: float | None) -> Reach | None:
    return None if value is None else Reach(high=value)
