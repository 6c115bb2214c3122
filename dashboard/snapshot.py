"""Everything that pages show at one moment, as one value that never changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from dashboard.alert import Alert
from dashboard.filling import filled
from dashboard.history import History, begun, extended, flag_bits
from dashboard.missing import Missing, with_missing
from dashboard.trend import Trends
from streamer.analysis import Analysis, Flag
from streamer.frame import Stream
from streamer.service_state import ServiceState
from streamer.session.notes import Note

CHANNELS = 8
"""Channels kept; of more, the one that has been quiet longest is dropped."""

RUNS_REMEMBERED = 1000
"""Earlier runs of a channel whose late frames are told from those of a new run."""


class LinkState(StrEnum):
    """How things stand between the feed and where analyses come from."""

    WAITING = "waiting"
    """Nothing has been heard yet."""
    RECEIVING = "receiving"
    SILENT = "silent"
    """The other side was heard once and is not heard any more."""
    RECORDED = "recorded"
    """A recording, read to its end."""
    FAILED = "failed"
    """The feed has stopped; `Link.words` say why."""


@dataclass(frozen=True, slots=True)
class Link:
    """The state of the feed."""

    origin: str
    """Where analyses come from: an address, or a session folder."""
    state: LinkState = LinkState.WAITING
    words: str = ""
    """What went wrong, in a state in which something went wrong."""


@dataclass(frozen=True, slots=True)
class Reach:
    """From one frame of a stream to another."""

    first: int
    last: int
    """Included."""


@dataclass(frozen=True, slots=True)
class Run:
    """One stream of a channel, as a session holds it."""

    stream_id: str
    began_ns: int
    """When its first frame came, since 1970 UTC."""
    frames: int | None
    """Analysed; None of the newest run, whose history has them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading of a session has come."""

    done: int
    total: int
    """Frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """The newest run of one source and channel."""

    history: History
    trends: Trends
    arrived_s: float
    """When its last frame arrived here, on the feed's clock."""
    published_s: float
    """When that was published, on the same clock: earlier, if it came late."""
    ended: bool = False
    earlier_runs: tuple[str, ...] = ()
    """Ids of the streams that had this name before."""
    on_disk: Reach | None = None
    """Frames that can be read from a session; None where there is none."""
    superseded: bool = False
    """Another run has taken its place; a page that looks at it still does."""

    @property
    def has_whole_frames(self) -> bool:
        """Whether any was more than what had been scanned by then."""
        partial = flag_bits([Flag.PARTIAL])
        return bool((self.history.records["flags"] & partial == 0).any())

    @property
    def runs(self) -> tuple[str, ...]:
        """Ids of all streams that have, or had, this name."""
        return *self.earlier_runs, self.history.stream.id


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What the hub hands to pages."""

    link: Link
    channels: Mapping[str, Channel] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """By `channel_name`, in the order in which they first appeared."""
    runs: Mapping[str, tuple[Run, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """All that the session holds of each channel, by its name, the oldest first."""
    lost: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Frames that will never come, by stream id; also before the first that came."""
    missing: Mapping[str, tuple[Missing, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Which those are, the newest of them, by stream id."""
    notes: tuple[Note, ...] = ()
    """What viewers wrote, of all streams, in the order in which they wrote it."""
    notes_kept: str = ""
    """Where those are kept, and what is wrong with that, in words."""

    notices: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What services want people to know, by their addresses."""
    progress: Progress | None = None
    """Of reading what a session held when it was opened; None when all is read."""
    services: Mapping[str, ServiceState] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """How services stand, by their addresses."""
    alerts: tuple[Alert, ...] = ()
    """Those that stand, the newest first."""
    alerts_begun: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """How many have begun, by their rule; those that have ended count too."""

    def running(self, stream: Stream) -> Channel | None:
        """The channel of `stream`, unless another run has taken its place."""
        channel = self.channels.get(channel_name(stream))
        same = channel is not None and channel.history.stream.id == stream.id
        return channel if same else None


def channel_name(stream: Stream) -> str:
    """What a page calls a stream: each run of a source takes the place of the last."""
    return f"{stream.source} · {stream.channel}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a frame came, and how old it was."""

    arrived_s: float
    """On the feed's clock."""
    age_s: float = 0.0
    """Since its analysis was published."""

    @property
    def published_s(self) -> float:
        """When its analysis was published, on the feed's clock."""
        return self.arrived_s - self.age_s


def with_frame(
    snapshot: Snapshot, analysis: Analysis, arrival: Arrival, scene_bytes: int
) -> Snapshot:
    """One more frame; a late one of a run that is over changes nothing.

    `scene_bytes` is the memory for the frames of all channels together.
    """
    name = channel_name(analysis.stream)
    known = snapshot.channels.get(name)
    if known is not None and analysis.stream.id in known.earlier_runs:
        return snapshot
    share = scene_bytes // len({*snapshot.channels, name})
    channel = channel_with_frame(known, analysis, arrival, share)
    return replace_channel(snapshot, channel)


def channel_with_frame(
    known: Channel | None, analysis: Analysis, arrival: Arrival, scene_bytes: int
) -> Channel:
    """`known` with one more frame; begun anew by the frame of a new run."""
    if known is not None and known.history.stream.id == analysis.stream.id:
        history = extended(known.history, analysis, scene_bytes)
        return replace(
            known,
            history=history,
            trends=Trends(history),
            arrived_s=arrival.arrived_s,
            published_s=arrival.published_s,
        )
    earlier = () if known is None else (*known.earlier_runs, known.history.stream.id)
    history = begun(analysis)
    return Channel(
        history=history,
        trends=Trends(history),
        arrived_s=arrival.arrived_s,
        published_s=arrival.published_s,
        earlier_runs=earlier[-RUNS_REMEMBERED:],
    )


def with_records(
    snapshot: Snapshot, stream: Stream, analyses: Sequence[Analysis], *, counted: bool
) -> Snapshot:
    """More frames of `stream` in its history, without pictures; see `filled`."""
    channel = snapshot.running(stream)
    if channel is None:
        return snapshot
    history = filled(channel.history, analyses, counted=counted)
    if history is channel.history:
        return snapshot
    more = replace(channel, history=history, trends=Trends(history))
    return replace_channel(snapshot, more)


def with_reach(snapshot: Snapshot, stream: Stream, on_disk: Reach) -> Snapshot:
    """Frames of `stream` that can be read from a session."""
    channel = snapshot.running(stream)
    if channel is None:
        return snapshot
    # The last one follows from the history, and is another one with each frame.
    if channel.on_disk is not None and channel.on_disk.first == on_disk.first:
        return snapshot
    return replace_channel(snapshot, replace(channel, on_disk=on_disk))


def with_runs(snapshot: Snapshot, runs: Mapping[str, tuple[Run, ...]]) -> Snapshot:
    """What the session holds of each channel."""
    return snapshot if runs == snapshot.runs else replace(snapshot, runs=runs)


def with_progress(snapshot: Snapshot, progress: Progress | None) -> Snapshot:
    """How far the reading of a session has come."""
    same = progress == snapshot.progress
    return snapshot if same else replace(snapshot, progress=progress)


def with_lost(snapshot: Snapshot, stream: Stream, missing: Missing) -> Snapshot:
    """More frames of `stream` that will never come."""
    id_ = stream.id
    others = {key: n for key, n in snapshot.lost.items() if key != id_}
    kept = dict(list(others.items())[-RUNS_REMEMBERED:])
    lost = {**kept, id_: snapshot.lost.get(id_, 0) + missing.frames}
    known = {key: snapshot.missing[key] for key in kept if key in snapshot.missing}
    which = {**known, id_: with_missing(snapshot.missing.get(id_, ()), missing)}
    return replace(
        snapshot, lost=MappingProxyType(lost), missing=MappingProxyType(which)
    )


def with_notes(snapshot: Snapshot, notes: tuple[Note, ...], kept: str) -> Snapshot:
    """What viewers wrote, and where it is kept."""
    new = replace(snapshot, notes=notes, notes_kept=kept)
    same = (notes, kept) == (snapshot.notes, snapshot.notes_kept)
    return snapshot if same else new


def with_end(snapshot: Snapshot, stream: Stream) -> Snapshot:
    """No more frames will come of `stream`."""
    channel = snapshot.running(stream)
    if channel is None:
        return snapshot
    return replace_channel(snapshot, replace(channel, ended=True))


def with_link(snapshot: Snapshot, state: LinkState, words: str = "") -> Snapshot:
    """The link in another state."""
    link = replace(snapshot.link, state=state, words=words)
    return snapshot if link == snapshot.link else replace(snapshot, link=link)


def with_notice(snapshot: Snapshot, url: str, notice: str | None) -> Snapshot:
    """What one service wants people to know now."""
    notices = {key: text for key, text in snapshot.notices.items() if key != url}
    if notice is not None:
        notices[url] = notice
    return replace(snapshot, notices=MappingProxyType(notices))


def with_service(snapshot: Snapshot, url: str, state: ServiceState | None) -> Snapshot:
    """How one service stands now; None: it does not say.

    A notice that said the same as its reason goes with it: the two come one by one,
    and a page must not believe for a moment that there is another thing to know.
    """
    old = snapshot.services.get(url)
    if old == state:
        return snapshot
    if old is not None and old.reason and snapshot.notices.get(url) == old.reason:
        snapshot = with_notice(snapshot, url, None if state is None else state.reason)
    services = {key: known for key, known in snapshot.services.items() if key != url}
    if state is not None:
        services[url] = state
    return replace(snapshot, services=MappingProxyType(services))


def replace_channel(snapshot: Snapshot, channel: Channel) -> Snapshot:
    """`channel` in its place, the quietest of too many channels dropped."""
    name = channel_name(channel.history.stream)
    channels = {**snapshot.channels, name: channel}
    while len(channels) > CHANNELS:
        del channels[min(channels, key=lambda name: channels[name].arrived_s)]
    return replace(snapshot, channels=MappingProxyType(channels))
