"""One open page: what its viewer looks at, and how it is kept up to date."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bokeh.models import Column, Plot

from dashboard.alert_words import alert_lines
from dashboard.archive import Visitor
from dashboard.axis import Axis
from dashboard.bookmark import Bookmark
from dashboard.choices import Choices
from dashboard.chronicle import Chronicle
from dashboard.difference import difference, refusal
from dashboard.figures.area import show_part
from dashboard.figures.limits import draw_limits
from dashboard.history import quantity_frame
from dashboard.hub import Hub, Paint
from dashboard.latent_space import show_manifold
from dashboard.mapped import mappable, mapped, words
from dashboard.panels import (
    Panels,
    apply_choices,
    handles,
    panels,
    panels_key,
    show_mapped,
    show_now,
    show_picture,
    show_ruler,
    show_scene,
    show_trend,
)
from dashboard.scene import Scene
from dashboard.snapshot import Channel, LinkState, Snapshot, channel_name
from dashboard.state import PageState
from dashboard.status import latency_share, status
from dashboard.takeaway import taken, wanted
from dashboard.timeline import Timeline
from dashboard.travel import alone, reach_of
from dashboard.traveller import Traveller
from dashboard.trend import Trend, Trends
from dashboard.view import Mode, View
from dashboard.whereabouts import scanned_share
from streamer.session.notes import MOST_SEQ

PAINT_TIMEOUT_S = 5.0
"""How long to wait for a browser to paint: a tab that is hidden never does."""

PLACES = (
    "frame-map",
    "angle-map",
    "order-map",
    "latent-space",
    "spreads",
    "series",
)
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
    sought
        What the page's address asks for.
    visitor
        Who brings frames that are not in memory; None if there is no disk to have
        them from.
    """

    def __init__(
        self,
        hub: Hub,
        state: PageState,
        places: Mapping[str, Column],
        sought: Bookmark | None = None,
        visitor: Visitor | None = None,
    ) -> None:
        self._hub = hub
        self._state = state
        self._places = places
        self._traveller = Traveller(sought, visitor)
        self._choices = chosen(sought)
        timeline = Timeline()
        self._chronicle = Chronicle(timeline)
        state.update(timeline=timeline)
        self._panels: Panels | None = None
        self._drawn: Drawn | None = None
        self._pictured: tuple[Scene, Scene | None] | None = None
        self._number = self._painted = 0
        self._unpainted: Unpainted | None = None
        self._sent: tuple[View, Choices, Snapshot] | None = None
        self._sent_s = 0.0

    @property
    def _view(self) -> View:
        return self._traveller.view

    def refresh(self) -> None:
        """Send what is new, unless the browser is still busy with the last update."""
        snapshot = self._hub.snapshot
        self._traveller.arrive(snapshot)
        wanted = (self._view, self._choices, snapshot)
        if self._sent == wanted:
            self._show_manifold()
            return
        if self._browser_is_busy():
            return
        self._number += 1
        self._state.update(sending=self._number)
        seen = self._traveller.in_its_run(snapshot)
        self._draw(seen)
        self._show_manifold()
        self._tell(seen)
        self._sent, self._sent_s = wanted, self._hub.clock()
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
        verb, what = wish.get("verb"), wish.get("object")
        match verb, what:
            case "take", str(told):
                self._hand_over(told)
            case "rescale", _:
                self._chronicle.rescale()
                self._sent = None
            case "note", str(text):
                self._note(text, wish.get("seq"))
        if self._drawn is not None:
            snapshot, seen = self._hub.snapshot, self._drawn.scene
            self._traveller.grant((verb, what), snapshot, seen)
        self._choose(self._choices.granting(verb, what))
        self.refresh()

    def _choose(self, choices: Choices) -> None:
        """Draw as the viewer chose; a frame that is held keeps its colours."""
        other = choices.mapped != self._choices.mapped
        self._choices = choices
        if self._panels is None or self._drawn is None:
            return
        apply_choices(self._panels, choices)
        if other:
            show_mapped(self._panels, self._drawn.scene, self._drawn.trend, choices)
        self._tell_choices(self._drawn.scene)

    def _show_manifold(self) -> None:
        """Show what the decoder draws, once per model, whenever it is ready."""
        if self._panels is not None and self._drawn is not None:
            model = self._drawn.scene.model
            show_manifold(self._panels.plane, model, self._hub.manifolds.of(model))

    def _hand_over(self, told: str) -> None:
        """Send the browser the file that its viewer wants, or say why not."""
        if self._drawn is None:
            return
        snapshot = self._hub.snapshot
        channel = self._view.shown_channel(snapshot)
        scenes = () if channel is None else channel.history.scenes
        try:
            wish = wanted(told)
            # A newer frame may be on its way to whoever asked for this one.
            seen = (scene for scene in scenes if scene.seq == wish.seq)
            scene = next(seen, self._drawn.scene)
            file = taken(scene, self._view.name(snapshot) or "", wish)
        except ValueError as error:
            self._state.update(refusal=str(error))
            return
        self._state.update(refusal="", file_name=file.name, file=file.content)
        self._state.update(file=None)

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
            update(self._panels, old, new, self._choices)
        self._drawn = new
        self._show_picture(scene)
        self._show_part(scene)
        if self._panels is not None:
            self._chronicle.show(self._panels, scene, new.trends, new.axis, snapshot)

    def _show_picture(self, scene: Scene) -> None:
        """The frame as it is, or what has changed since the reference."""
        reference = self._view.reference
        if reference is not None and refusal(scene, reference):
            reference = None
        if self._panels is None or self._pictured == (scene, reference):
            return
        change = None if reference is None else difference(scene, reference)
        show_picture(self._panels, scene, change)
        self._pictured = scene, reference

    def _show_part(self, scene: Scene) -> None:
        """The part of the frame that a link asks for, once the frame is there."""
        zoom = self._traveller.zoom()
        if self._panels is not None and zoom is not None:
            show_part(self._panels.area, zoom, scene.extent)

    def _build(self, new: Drawn) -> None:
        """Make the figures, for the first frame and for those of another kind."""
        self._panels = panels(new.scene, new.trend, self._chronicle.over)
        show_ruler(self._panels, new.trend)
        draw_limits(self._panels.figures["series"], self._hub.rules)
        apply_choices(self._panels, self._choices)
        show_mapped(self._panels, new.scene, new.trend, self._choices)
        self._pictured = new.scene, None
        for name, place in self._places.items():
            place.children = [self._panels.figures[name]]
        self._state.update(
            plots=plots_in(self._places.values()),
            handles=handles(self._panels),
            latent_space=self._panels.plane.mirrored,
        )

    def _tell(self, snapshot: Snapshot) -> None:
        """Bring words, numbers and the slider up to date."""
        channel = self._view.shown_channel(snapshot)
        scene = self._view.shown_scene(snapshot)
        said = status(self._view, snapshot)
        self._state.update(
            texts=dict(said.texts),
            tones=dict(said.tones),
            latency_share=latency_share(scene),
            stages={} if scene is None else dict(scene.stages_ms),
            alerts=alert_lines(snapshot),
            age_s=self._age_s(snapshot, channel),
            channels=list(snapshot.channels),
            channel=self._view.name(snapshot) or "",
            following=self._view.mode is Mode.LIVE,
            seeking=not self._traveller.arrived,
            comparing=self._view.reference is not None,
        )
        if channel is not None and scene is not None:
            reach = reach_of(channel)
            self._state.update(
                first=reach.first,
                last=reach.last,
                shown=scene.seq,
                scanned=scanned_share(scene),
                mappable={column: words(column) for column in mappable(scene)},
                mapped=mapped(scene, self._choices),
                found=scene.found,
            )
            self._tell_choices(scene)

    def _tell_choices(self, scene: Scene) -> None:
        """What a link to `scene` must say, so that it looks as it does here."""
        choices = self._choices
        self._state.update(choices=choices.wishes(), link=link(scene, choices))

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
    kind = quantity_frame(scene.model)
    if kind == quantity_frame(channel.history.model):
        return Drawn(scene, channel.trends, axis)
    if last is not None and kind == quantity_frame(last.scene.model):
        return Drawn(scene, last.trends, axis)
    return Drawn(scene, alone(scene).trends, axis)


def chosen(sought: Bookmark | None) -> Choices:
    """The choices that a link asks for."""
    choices = Choices()
    for verb, what in sought.choices.items() if sought else ():
        choices = choices.granting(verb, what)
    return choices


def link(scene: Scene, choices: Choices) -> dict[str, str]:
    """What a link to `scene` says beside its number, see `dashboard.bookmark`."""
    usual = Choices().wishes()
    changed = {v: str(o) for v, o in choices.wishes().items() if usual.get(v) != o}
    stream = scene.stream
    return {"channel": channel_name(stream), "run": stream.id, **changed}


def update(panels: Panels, old: Drawn, new: Drawn, choices: Choices) -> None:
    """Send to the figures what differs between `old` and `new`."""
    if new.scene is not old.scene:
        show_scene(panels, new.scene, old.scene.extent)
        show_mapped(panels, new.scene, new.trend, choices)
    if new.scene is not old.scene or new.trend.bins != old.trend.bins:
        show_now(panels, new.scene, new.trend)
    if new.trend is not old.trend:
        show_trend(panels, new.trend)
    if new.trend.ruler != old.trend.ruler:
        show_ruler(panels, new.trend)
