"""What a viewer of a service is told, as metrics in a registry of its own."""

import math
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from atomstream.metrics.bounded import OTHER, Bounded
from atomstream.metrics.causes import CAUSES, cause_of
from atomstream.metrics.standing import Standing
from streamer.analysis import FRAME_BUDGET_S, Analysis, Flag
from streamer.atoms import SPECIES
from streamer.events import (
    Abandoned,
    Ended,
    Event,
    Gap,
    Heard,
    Joined,
    Received,
    Silent,
    Stands,
)

LATENCY_BUCKETS_S = (
    0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, FRAME_BUDGET_S, 60, 120, 300, 900, 3600,
)  # fmt: skip
STAGE_BUCKETS_S = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    FRAME_BUDGET_S,
)  # fmt: skip
MOST_STAGES = 32
MOST_SPECIES = 16
CHANNEL = ("source", "channel")


class ServiceMetrics:
    """Metrics of one service; what is counted here begins when this does.

    Events come from one thread; the registry may be read from another.

    Parameters
    ----------
    clock
        Monotonic seconds.
    started_s
        When the process started, seconds since 1970.
    wall_ns
        Nanoseconds since 1970 UTC.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        started_s: float,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.registry = CollectorRegistry()
        Gauge(
            "atomstream_start_time_seconds",
            "When the metrics' process started, seconds since 1970; it starts with "
            "its service.",
            registry=self.registry,
        ).set(started_s)
        self.standing = Standing(clock, wall_ns)
        self.registry.register(self.standing)
        self._work = Work(self.registry)
        self._findings = Findings(self.registry)
        self._missing = Counter(
            "atomstream_frames_missing_total",
            "Frames whose analysis will never come, by cause.",
            ("cause",),
            registry=self.registry,
        )
        # From 0 on: a first one is a step that can be alerted of.
        for cause in (*CAUSES.values(), OTHER):
            self._missing.labels(cause)

    def take(self, event: Event) -> None:
        """Let `event` have its effect."""
        match event:
            case Received(Analysis() as analysis):
                self.standing.see(analysis)
                self._work.add(analysis)
                self._findings.add(analysis)
            case Gap(_, first, last, reason) if event.is_loss:
                self._missing.labels(cause_of(reason)).inc(last - first + 1)
            case Stands(_, state):
                self.standing.stand(state)
            case Heard():
                self.standing.is_heard = True
            case Silent():
                self.standing.is_heard = False
            case Joined(stream):
                self.standing.begin(stream.id)
            case Ended(stream) | Abandoned(stream):
                self.standing.end(stream.id)
            case _:
                pass


class Work:
    """How long frames took, and what was wrong with them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._channels, self._stages = Bounded(), Bounded(MOST_STAGES)
        self._analyses = Counter(
            "atomstream_analyses_total",
            "Analyses that were published.",
            CHANNEL,
            registry=registry,
        )
        self._latency = Histogram(
            "atomstream_analysis_latency_seconds",
            "From the arrival of a frame to the end of its analysis.",
            registry=registry,
            buckets=LATENCY_BUCKETS_S,
        )
        self._late = Counter(
            "atomstream_frames_late_total",
            f"Frames analysed later than {FRAME_BUDGET_S} s after their arrival.",
            registry=registry,
        )
        self._stage = Histogram(
            "atomstream_stage_seconds",
            "Wall time of each stage of the analysis of a frame.",
            ("stage",),
            registry=registry,
            buckets=STAGE_BUCKETS_S,
        )
        self._flags = Counter(
            "atomstream_flags_total",
            "Analyses that carry a flag, by flag.",
            ("flag",),
            registry=registry,
        )

        for flag in Flag:
            self._flags.labels(flag)

    def add(self, analysis: Analysis) -> None:
        """Count one more."""
        stream = analysis.stream
        channel = self._channels.labels(stream.source, stream.channel)
        self._analyses.labels(*channel).inc()
        observe(self._latency, analysis.latency_s)
        if analysis.latency_s > FRAME_BUDGET_S:
            self._late.inc()
        for stage, time_ms in analysis.stages_ms.items():
            observe(self._stage.labels(*self._stages.labels(stage)), time_ms * 1e-3)
        for flag in set(analysis.flags):
            self._flags.labels(flag).inc()


class Findings:
    """What was found in the newest frame of each channel."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._channels, self._species = Bounded(), Bounded(MOST_SPECIES)
        self._atoms = Gauge(
            "atomstream_atoms",
            "Atoms in the newest frame, by species.",
            (*CHANNEL, "species"),
            registry=registry,
        )
        self._crystallinity = Gauge(
            "atomstream_mean_crystallinity",
            "Mean crystallinity of the atoms in the newest frame; NaN without atoms.",
            CHANNEL,
            registry=registry,
        )
        self._hole_area = Gauge(
            "atomstream_hole_area_nm2",
            "Area of the newest frame with no atom within 0.3 nm.",
            CHANNEL,
            registry=registry,
        )
        self._lattice_constant = Gauge(
            "atomstream_lattice_constant_nm",
            "Side of the hexagonal cell, where nothing pulls at it, in the newest "
            "frame; NaN if not measured.",
            CHANNEL,
            registry=registry,
        )

    def add(self, analysis: Analysis) -> None:
        """Take the place of the frame before."""
        stream, summary = analysis.stream, analysis.summary
        channel = self._channels.labels(stream.source, stream.channel)
        # A species that is not named is not there any more.
        counts = dict.fromkeys(SPECIES, 0) | dict(summary.counts)
        for species, count in counts.items():
            self._atoms.labels(*channel, *self._species.labels(species)).set(count)
        self._crystallinity.labels(*channel).set(summary.mean_crystallinity)
        self._hole_area.labels(*channel).set(summary.hole_area_nm2)
        self._lattice_constant.labels(*channel).set(summary.lattice_constant_nm)


def observe(histogram: Histogram, time_s: float) -> None:
    """Count a time; one that is none would spoil the sum for ever."""
    if math.isfinite(time_s) and time_s >= 0:
        histogram.observe(time_s)
