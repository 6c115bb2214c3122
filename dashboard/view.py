"""Which frame a page shows: it follows the newest, or holds one."""

from bisect import bisect_left
from dataclasses import dataclass, replace
from enum import StrEnum

from dashboard.scene import Scene
from dashboard.snapshot import Channel, Snapshot


class Mode(StrEnum):
    """How a page came to the frame that it shows."""

    LIVE = "live"
    """It follows the newest frame."""
    PAUSED = "paused"
    """It was told to stay with the frame that was newest then."""
    HISTORY = "history"
    """It was told to show an earlier frame."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What one page looks at."""

    channel: str | None = None
    """Name of the channel; None for the first that appears."""
    mode: Mode = Mode.LIVE
    held: Scene | None = None
    """The frame that is shown when `mode` is not live: kept here, so that it stays
    even when it has left the history."""

    def name(self, snapshot: Snapshot) -> str | None:
        """The channel that is shown; None when there is none yet."""
        if self.channel in snapshot.channels:
            return self.channel
        return next(iter(snapshot.channels), None)

    def shown_channel(self, snapshot: Snapshot) -> Channel | None:
        """Where the frame that is shown belongs."""
        name = self.name(snapshot)
        return None if name is None else snapshot.channels[name]

    def shown_scene(self, snapshot: Snapshot) -> Scene | None:
        """The frame that is shown."""
        if self.held is not None:
            return self.held
        channel = self.shown_channel(snapshot)
        return None if channel is None else channel.history.newest

    def behind(self, snapshot: Snapshot) -> int:
        """How many frames have come after the one that is shown."""
        channel = self.shown_channel(snapshot)
        if channel is None or self.held is None:
            return 0
        return channel.history.behind(self.held.seq)

    def paused(self, scene: Scene) -> "View":
        """Stay with `scene`, the one that the viewer sees."""
        if self.mode is not Mode.LIVE:
            return self
        return replace(self, mode=Mode.PAUSED, held=scene)

    def live(self) -> "View":
        """Follow the newest frame."""
        return replace(self, mode=Mode.LIVE, held=None)

    def at(self, seq: int, snapshot: Snapshot) -> "View":
        """Show the frame in memory that is nearest to `seq`."""
        channel = self.shown_channel(snapshot)
        if channel is None:
            return self
        return replace(self, mode=Mode.HISTORY, held=channel.history.nearest(seq))

    def stepped(self, frames: int, snapshot: Snapshot) -> "View":
        """Show the frame in memory that lies so many frames later; negative: before."""
        channel, shown = self.shown_channel(snapshot), self.shown_scene(snapshot)
        if channel is None or shown is None:
            return self
        scenes = channel.history.scenes
        place = bisect_left(scenes, shown.seq, key=lambda scene: scene.seq)
        there = scenes[max(0, min(place + frames, len(scenes) - 1))]
        return replace(self, mode=Mode.HISTORY, held=there)

    def of(self, channel: str) -> "View":
        """Follow another channel."""
        return View(channel=channel)
