"""What holds at the moment of a scrape: how the service stands, and who analyses.

Worked out when it is asked for. One thread may `collect` while another tells what is
new: whatever they share is a value that is replaced as a whole.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from streamer.analysis import Analysis
from streamer.service_state import Recorded, ServiceState

SHA256_DIGITS = 12
"""Enough to tell models apart."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Frames of a whole session, as a service counts them."""

    session: str
    received: int
    committed: int
    analysed: int


def totals_after(before: Totals | None, state: ServiceState) -> Totals:
    """The totals of `state`; never less than `before`, in the same session.

    A frame that goes from memory to the disk is counted at both for a moment, and one
    whose analysis was shown but not kept waits again. Prometheus would take each step
    back for a restart, and count everything once more.
    """
    analysed = max(0, state.received - state.waiting - state.aside)
    now = Totals(state.session, state.received, state.committed, analysed)
    if before is None or before.session != now.session:
        return now
    return Totals(
        now.session,
        max(before.received, now.received),
        max(before.committed, now.committed),
        max(before.analysed, now.analysed),
    )


class Standing(Collector):
    """How a service stands; what it does not say, or said too long ago, is left out.

    Parameters
    ----------
    clock
        Monotonic seconds.
    wall_ns
        Nanoseconds since 1970 UTC, by the clock of the service's computer.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._clock, self._wall_ns = clock, wall_ns
        self._state: ServiceState | None = None
        self._totals: Totals | None = None
        self._newest: tuple[Analysis, float] | None = None
        """And when it came."""
        self._open: set[str] = set()
        """Ids of streams that go on."""
        self.is_heard = False
        """Whether the service is heard now."""

    def stand(self, state: ServiceState | None) -> None:
        """The service has said how it stands."""
        if state is not None:
            self._totals = totals_after(self._totals, state)
        self._state = state

    def see(self, analysis: Analysis) -> None:
        """The newest analysis has come."""
        self._newest = analysis, self._clock()

    def begin(self, stream_id: str) -> None:
        """A stream was heard of."""
        self._open.add(stream_id)

    def end(self, stream_id: str) -> None:
        """No more will come of a stream."""
        self._open.discard(stream_id)

    def collect(self) -> Iterator[Metric]:
        """All of it, for `prometheus_client`."""
        state = self._state if self.is_heard else None
        yield GaugeMetricFamily(
            "atomstream_service_heard",
            "Whether the service is heard: 1, or 0 when it has been silent for 3 s.",
            float(self.is_heard),
        )
        yield from frames_of(state, self._totals)
        yield from queues_of(state, self._wall_ns())
        yield link_of(state)
        yield from disk_of(state)
        yield restarts_of(state)
        yield from newest_of(self._newest, self._clock())
        yield GaugeMetricFamily(
            "atomstream_streams_open",
            "Streams that were heard of and have not ended: more should come of them.",
            len(self._open),
        )


def frames_of(state: ServiceState | None, totals: Totals | None) -> Iterator[Metric]:
    """Where the frames of the session are."""
    received = CounterMetricFamily(
        "atomstream_frames_received",
        "Frames of the session that have come: on the disk, or in memory for it.",
    )
    committed = CounterMetricFamily(
        "atomstream_frames_committed", "Frames of the session on the disk."
    )
    analysed = CounterMetricFamily(
        "atomstream_frames_analysed", "Frames of the session that have been analysed."
    )
    waiting = GaugeMetricFamily(
        "atomstream_frames_waiting",
        "The backlog: frames that have come and wait for their analysis.",
    )
    aside = GaugeMetricFamily(
        "atomstream_frames_set_aside",
        "Frames that nobody analyses: the analysis has died of them.",
    )
    if state is not None and totals is not None:
        received.add_metric([], totals.received)
        committed.add_metric([], totals.committed)
        analysed.add_metric([], totals.analysed)
        waiting.add_metric([], state.waiting)
        aside.add_metric([], state.aside)
    yield from (received, committed, analysed, waiting, aside)


def queues_of(state: ServiceState | None, now_ns: int) -> Iterator[Metric]:
    """How long what waits has waited; 0 where nothing does."""
    age = GaugeMetricFamily(
        "atomstream_queue_age_seconds",
        "Time since the oldest frame came that waits: for its analysis, or in memory "
        "to be recorded; 0 if none does.",
        labels=("queue",),
    )
    if state is not None:
        for queue, since_ns in (
            ("analysis", state.oldest_waiting_ns),
            ("recording", state.oldest_unrecorded_ns),
        ):
            waited_ns = 0 if since_ns is None else max(0, now_ns - since_ns)
            age.add_metric([queue], waited_ns * 1e-9)
    yield age


def link_of(state: ServiceState | None) -> Metric:
    """How long the newest frame was under way."""
    link = GaugeMetricFamily(
        "atomstream_link_latency_seconds",
        "From sending to arrival of the newest frame, the first by the source's clock, "
        "the second by the service's: it is off by as much as they differ.",
    )
    if state is not None and state.link_s is not None:
        link.add_metric([], state.link_s)
    return link


def restarts_of(state: ServiceState | None) -> Metric:
    """Which processes do not hold."""
    restarts = CounterMetricFamily(
        "atomstream_process_restarts",
        "How often each process of the service was started again by it.",
        labels=("process",),
    )
    if state is not None and state.restarts is not None:
        for process, count in state.restarts.items():
            restarts.add_metric([process], count)
    return restarts


def disk_of(state: ServiceState | None) -> Iterator[Metric]:
    """Whether what comes is kept, and for how much more there is room."""
    recording = GaugeMetricFamily(
        "atomstream_recording",
        "Whether what comes is kept: 1, or 0 for NOT RECORDING.",
    )
    free = GaugeMetricFamily(
        "atomstream_session_disk_free_bytes",
        "Free space on the session's disk, in steps of 100 MB.",
    )
    if state is not None:
        recording.add_metric([], float(state.recorded is Recorded.YES))
        if state.free_bytes is not None:
            free.add_metric([], state.free_bytes)
    yield from (recording, free)


def newest_of(newest: tuple[Analysis, float] | None, now_s: float) -> Iterator[Metric]:
    """How old the newest analysis is, and what made it."""
    age = GaugeMetricFamily(
        "atomstream_last_analysis_age_seconds",
        "Time since the newest analysis came; missing until there is one.",
    )
    model = InfoMetricFamily(
        "atomstream_model",
        f"Model of the newest analysis; the first {SHA256_DIGITS} digits of its "
        "card's SHA-256.",
        labels=("name", "sha256"),
    )
    provider = InfoMetricFamily(
        "atomstream_provider",
        "ONNX Runtime execution provider of the newest analysis.",
        labels=("provider",),
    )
    if newest is not None:
        analysis, came_s = newest
        age.add_metric([], now_s - came_s)
        made_by = analysis.model
        sha256 = made_by.sha256[:SHA256_DIGITS]
        model.add_metric([], {"name": made_by.name, "sha256": sha256})
        provider.add_metric([], {"provider": analysis.provider})
    yield from (age, model, provider)
