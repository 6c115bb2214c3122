"""What the live page should take, and what it took."""

from collections.abc import Iterator

from atomstream.bench.page.figures import PageFigures
from atomstream.bench.page.interactions import WHOLE
from inference.evaluation.reach import Reach, Row

PAINTED_MS = 1000
INTERACTION_MS = 100
KILOBYTES = 900
VIEWER_CPU_MS = 20
GROWTH_MB = 30
"""Of memory, once it holds all the frames that it keeps."""
SERVICE_SHARE = 1.10


def rows(figures: PageFigures) -> Iterator[Row]:
    """Figures beside what they should be."""
    where = f"{figures.size_px}²"
    if seen := figures.seen:
        painted = Reach(high=PAINTED_MS)
        yield Row("published to painted, p95, ms", where, seen.painted_p95_ms, painted)
        for name, took in seen.interactions_ms.items():
            reach = None if name == WHOLE else Reach(high=INTERACTION_MS)
            yield Row(f"{name}, p50, ms", where, took.p50, reach)
    update, endurance, beside = figures.update, figures.endurance, figures.beside
    yield Row("an update, kB", where, update.kilobytes.p50, Reach(high=KILOBYTES))
    cpu = Reach(high=VIEWER_CPU_MS)
    yield Row("server's CPU, ms", "a viewer's update", update.server_cpu_ms, cpu)
    yield Row("server's CPU, ms", "a frame, no viewer", update.frame_cpu_ms)
    flat = Reach(high=GROWTH_MB)
    frames = f"frames {endurance.frames // 2} to {endurance.frames}"
    grown = endurance.frames_mb - endurance.half_mb
    yield Row("memory grows by, MB", frames, grown, flat)
    grown = endurance.loads_mb - endurance.frames_mb
    yield Row("memory grows by, MB", f"{endurance.loads} pages", grown, flat)
    yield Row("memory, MB", f"{endurance.frames} frames", endurance.frames_mb)
    share = beside.watched_ms.p50 / beside.alone_ms.p50
    viewers = f"{beside.viewers} viewers, of none"
    yield Row("a frame's analysis", viewers, share, Reach(high=SERVICE_SHARE))
