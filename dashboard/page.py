"""One open page: what its viewer looks at, and how it is kept up to date."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bokeh.models import Column, Plot

from dashboard.axis import Axis
from dashboard.choices import Choices
from dashboard.chronicle import Chronicle
from dashboard.history import quantity_frame
from dashboard.hub import Hub, Paint
from dashboard.panels import (
    Panels,
    apply_choices,
    panels,
    panels_key,
    show_now,
    show_ruler,
    show_scene,
    show_trend,
)
from dashboard.scene import Scene
from dashboard.snapshot import Channel, LinkState, Snapshot
from dashboard.state import PageState
from dashboard.status import latency_share, status
from dashboard.timeline import Timeline
from dashboard.trend import Trend, Trends
from dashboard.view import Mode, View
from streamer.session.notes import MOST_SEQ

PAINT_TIMEOUT_S = 5.0
"""How long to wait for a browser to paint: a tab that is hidden never does."""

PLACES = ("frame-map", "angle-map", "order-map", "spreads", "series")
"""Where figures go, by the names that `assets/page.html` uses."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What the figures show."""

    scene: Scene
    trends: Trends
    axis: Axis
    """Over which the viewer wants plots over time."""

    @property
    def trend(self) -> Trend:
        """What plots over time show."""
        return self.trends.along(self.axis)


@dataclass(frozen=True, slots=True, eq=False)
class Unpainted:
    """The newest frame, on its way to the browser."""

    scene: Scene
    arrived_s: float


class Page:
    """Shows what its viewer asks for, as fast as the browser paints and no faster.

    All methods must be called with the document's lock held.

    Parameters
    ----------
    hub
        Where snapshots come from.
    state
        What the browser mirrors.
    places
        Empty layouts by the names in `PLACES`; figures are put there when the first
        frame says which ones.
    """

    def __init__(
        self, hub: Hub, state: PageState, places: Mapping[str, Column]
    ) -> None:
        self._hub = hub
        self._state = state
        self._places = places
        self._view = View()
        self._choices = Choices()
        timeline = Timeline()
        self._chronicle = Chronicle(timeline)
        state.update(timeline=timeline)
        self._panels: Panels | None = None
        self._drawn: Drawn | None = None
        self._number = self._painted = 0
        self._unpainted: Unpainted | None = None
        self._sent: tuple[View, Snapshot] | None = None
        self._sent_s = 0.0

    def refresh(self) -> None:
        """Send what is new, unless the browser is still busy with the last update."""
        snapshot = self._hub.snapshot
        if self._sent is not None and self._sent == (self._view, snapshot):
            return
        if self._browser_is_busy():
            return
        self._number += 1
        self._state.update(sending=self._number)
        self._draw(snapshot)
        self._tell(snapshot)
        self._sent, self._sent_s = (self._view, snapshot), self._hub.clock()
        self._state.update(sent=self._number)

    def painted(self, number: int) -> None:
        """The browser has painted update `number`, and is ready for the next."""
        self._painted = number
        new = self._unpainted
        if new is not None and number == self._number:
            now_s = self._hub.clock()
            self._hub.paints.append(Paint(new.scene.seq, new.arrived_s, now_s))
            self._unpainted = None
        self.refresh()

    def grant(self, wish: Mapping[str, object]) -> None:
        """Do what the viewer asks for; what makes no sense changes nothing."""
        snapshot, view = self._hub.snapshot, self._view
        verb, what = wish.get("verb"), wish.get("object")
        match verb, what:
            case "pause", _ if self._drawn is not None:
                self._view = view.paused(self._drawn.scene)
            case "live", _:
                self._view = view.live()
            case "seek", int(seq):
                self._view = view.at(seq, snapshot)
            case "channel", str(name) if name in snapshot.channels:
                self._view = view.of(name)
            case "rescale", _:
                self._chronicle.rescale()
                self._sent = None
            case "note", str(text):
                self._note(text, wish.get("seq"))
        choices, self._choices = self._choices, self._choices.granting(verb, what)
        if choices.axis != self._choices.axis:
            self._sent = None
        if self._panels is not None:
            apply_choices(self._panels, self._choices)
        self.refresh()

    def _note(self, text: str, seq: object) -> None:
        """Keep what the viewer wrote of frame `seq`, else of the one that is shown."""
        if self._drawn is None:
            return
        known = isinstance(seq, int) and 0 <= seq <= MOST_SEQ
        about = seq if known and isinstance(seq, int) else self._drawn.scene.seq
        self._hub.note(self._drawn.trends.history.stream, about, text)

    def _browser_is_busy(self) -> bool:
        waited_s = self._hub.clock() - self._sent_s
        return self._painted < self._number and waited_s < PAINT_TIMEOUT_S

    def _draw(self, snapshot: Snapshot) -> None:
        """Bring the figures up to date."""
        channel = self._view.shown_channel(snapshot)
        scene = self._view.shown_scene(snapshot)
        if channel is None or scene is None:
            return
        new = drawn(scene, channel, self._drawn, self._choices.axis)
        old = self._drawn
        if self._view.mode is Mode.LIVE and (old is None or scene is not old.scene):
            self._unpainted = Unpainted(scene, channel.arrived_s)
        if (
            self._panels is None
            or old is None
            or panels_key(old.scene) != panels_key(scene)
        ):
            self._build(new)
        else:
            update(self._panels, old, new)
        self._drawn = new
        if self._panels is not None:
            self._chronicle.show(self._panels, scene, new.trends, new.axis, snapshot)

    def _build(self, new: Drawn) -> None:
        """Make the figures, for the first frame and for those of another kind."""
        self._panels = panels(new.scene, new.trend, self._chronicle.over)
        show_ruler(self._panels, new.trend)
        apply_choices(self._panels, self._choices)
        for name, place in self._places.items():
            place.children = [self._panels.figures[name]]
        self._state.update(plots=plots_in(self._places.values()))

    def _tell(self, snapshot: Snapshot) -> None:
        """Bring words, numbers and the slider up to date."""
        channel = self._view.shown_channel(snapshot)
        scene = self._view.shown_scene(snapshot)
        said = status(self._view, snapshot)
        self._state.update(
            texts=dict(said.texts),
            tones=dict(said.tones),
            latency_share=latency_share(scene),
            age_s=self._age_s(snapshot, channel),
            channels=list(snapshot.channels),
            channel=self._view.name(snapshot) or "",
            following=self._view.mode is Mode.LIVE,
        )
        if channel is not None and scene is not None:
            first, last = channel.history.scenes[0].seq, channel.history.newest.seq
            self._state.update(first=first, last=last, shown=scene.seq)

    def _age_s(self, snapshot: Snapshot, channel: Channel | None) -> float | None:
        """Since the last frame arrived; None when no further one is awaited."""
        over = snapshot.link.state in (LinkState.RECORDED, LinkState.FAILED)
        if channel is None or channel.ended or over:
            return None
        return self._hub.clock() - channel.arrived_s


def plots_in(places: Iterable[Column]) -> list[Plot]:
    """All figures in `places`."""
    models = [model for place in places for model in place.references()]
    return [model for model in models if isinstance(model, Plot)]


def drawn(scene: Scene, channel: Channel, last: Drawn | None, axis: Axis) -> Drawn:
    """What to draw of `scene` and of the stream that it belongs to.

    A frame that is held while another model takes over stays among its own.
    """
    foreign = quantity_frame(scene.model) != quantity_frame(channel.history.model)
    if foreign and last is not None:
        return Drawn(scene, last.trends, axis)
    return Drawn(scene, channel.trends, axis)


def update(panels: Panels, old: Drawn, new: Drawn) -> None:
    """Send to the figures what differs between `old` and `new`."""
    if new.scene is not old.scene:
        show_scene(panels, new.scene, new.trend, old.scene.extent)
    if new.scene is not old.scene or new.trend.bins != old.trend.bins:
        show_now(panels, new.scene, new.trend)
    if new.trend is not old.trend:
        show_trend(panels, new.trend)
    if new.trend.ruler != old.trend.ruler:
        show_ruler(panels, new.trend)
