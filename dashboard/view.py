"""Which frame a page shows: it follows the newest, or holds one."""

from dataclasses import dataclass, replace
from enum import StrEnum

from dashboard.archive import Answer, Request
from dashboard.bookmark import Bookmark
from dashboard.scene import Scene
from dashboard.snapshot import Channel, Snapshot, channel_name


class Mode(StrEnum):
    """How a page came to the frame that it shows."""

    LIVE = "live"
    """It follows the newest frame."""
    PAUSED = "paused"
    """It was told to stay with the frame that was newest then."""
    HISTORY = "history"
    """It was told to show an earlier frame."""


@dataclass(frozen=True, slots=True)
class View:
    """What one page looks at."""

    channel: str | None = None
    """Name of the channel; None for the first that has whole frames."""
    mode: Mode = Mode.LIVE
    held: Scene | None = None
    """The frame that is shown when `mode` is not live: kept here, so that it stays
    even when it has left the history."""
    awaited: Request | None = None
    """The frame that is being read from disk, and will be shown."""
    sought: Bookmark | None = None
    """What a link asks for that has not been found yet."""
    remark: str = ""
    """Why something else is shown than the viewer wished."""
    reference: Scene | None = None
    """The frame that is taken away from the one that is shown."""

    def name(self, snapshot: Snapshot) -> str | None:
        """The channel that is shown; None when there is none yet."""
        if self.channel in snapshot.channels:
            return self.channel
        whole = (n for n, each in snapshot.channels.items() if each.has_whole_frames)
        return next(whole, next(iter(snapshot.channels), None))

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
        return View(self.channel, Mode.PAUSED, scene, reference=self.reference)

    def live(self) -> "View":
        """Follow the newest frame."""
        return View(channel=self.channel, reference=self.reference)

    def holding(self, scene: Scene, snapshot: Snapshot, remark: str = "") -> "View":
        """Show `scene`, and no other."""
        channel = snapshot.running(scene.stream)
        newest = channel is not None and channel.history.newest.seq == scene.seq
        return replace(
            self,
            mode=Mode.PAUSED if newest else Mode.HISTORY,
            held=scene,
            awaited=None,
            sought=None,
            remark=remark,
        )

    def awaiting(self, request: Request) -> "View":
        """Go on as before until the frame that was asked for is there."""
        return replace(self, awaited=request, sought=None, remark="")

    def told(self, answer: Answer, snapshot: Snapshot) -> "View":
        """Show what came of the request that is awaited."""
        if answer.scene is None:
            return replace(self, awaited=None, remark=answer.problem)
        on = replace(self, channel=channel_name(answer.scene.stream))
        return on.holding(answer.scene, snapshot)

    def compared_with(self, scene: Scene | None) -> "View":
        """Show frames as differences from `scene`; None: as they are."""
        return replace(self, reference=scene)

    def of(self, channel: str) -> "View":
        """Follow another channel."""
        return View(channel=channel)
