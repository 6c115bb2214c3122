"""What `atomstream bench observing` measures, and what it should be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from atomstream.bench.machine import Machine
from inference.evaluation.reach import Reach, Row

METRICS = "metrics"
MOST_PERCENT = 1.0


@dataclass(frozen=True, slots=True)
class ObservingFigures:
    """All of one run."""

    machine: Machine
    size_px: int
    """Rows and columns of the frames, which are not refined."""
    period_s: float
    """From frame to frame."""
    frames: int
    """That were analysed while it was measured."""
    wall_s: float
    """In which they were."""
    cpu_s: Mapping[str, float]
    """Of each process of the service, by its name."""
    scrapes: int
    """Of the metrics."""
    lines: int
    """Of the log, all processes together."""
    line_us: float
    """CPU time to format and write one of them."""
    text_line_us: float
    """Likewise as text."""

    @property
    def log_s(self) -> float:
        """CPU time of the log."""
        return self.lines * self.line_us * 1e-6

    def of_core(self, cpu_s: float) -> float:
        """CPU time in percent of one core."""
        return 100 * cpu_s / self.wall_s

    def of_service(self, cpu_s: float) -> float:
        """CPU time in percent of what all processes of the service take."""
        return 100 * cpu_s / sum(self.cpu_s.values())


def rows(figures: ObservingFigures) -> Iterator[Row]:
    """Shares of CPU time, beside what they should be."""
    every = f"a frame each {figures.period_s:g} s"
    both_s = figures.cpu_s[METRICS] + figures.log_s
    most = Reach(high=MOST_PERCENT)
    yield Row("metrics and log, % of a core", every, figures.of_core(both_s), most)
    for what, cpu_s in {
        "metrics": figures.cpu_s[METRICS],
        "log": figures.log_s,
    }.items():
        yield Row(f"{what}, % of a core", every, figures.of_core(cpu_s))
        yield Row(f"{what}, % of the service", every, figures.of_service(cpu_s))
    frames = figures.frames
    yield Row("metrics, CPU ms", "a frame", 1e3 * figures.cpu_s[METRICS] / frames)
    yield Row("log, CPU µs", "a line of JSON", figures.line_us)
    yield Row("log, CPU µs", "a line of text", figures.text_line_us)
    yield Row("log, lines", "a frame", figures.lines / frames)
    yield Row(
        "the service, % of a core", every, figures.of_core(sum(figures.cpu_s.values()))
    )
    yield Row("frames analysed a second", every, frames / figures.wall_s)
