"""The figures of a page: made when the first frame says which, then kept up to date."""

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

from bokeh.models import Column, Plot

from dashboard.alert_rules import AlertRules
from dashboard.axis import Axis
from dashboard.bookmark import Zoom
from dashboard.choices import Choices
from dashboard.chronicle import Chronicle
from dashboard.difference import difference, refusal
from dashboard.figures.area import show_part
from dashboard.figures.limits import draw_limits
from dashboard.history import quantity_frame
from dashboard.latent_space import show_manifold
from dashboard.manifold import Manifolds
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
from dashboard.runs import alone
from dashboard.scene import Scene
from dashboard.snapshot import Channel, Snapshot
from dashboard.state import PageState
from dashboard.timeline import Timeline
from dashboard.trend import Trend, Trends

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


class Drawing:
    """Draws frames as the viewer chose.

    Parameters
    ----------
    state
        Tells the browser which figures there are.
    places
        Empty layouts by the names in `PLACES`.
    rules
        Whose limits are drawn.
    """

    def __init__(
        self, state: PageState, places: Mapping[str, Column], rules: AlertRules
    ) -> None:
        self._state, self._places, self._rules = state, places, rules
        timeline = Timeline()
        state.update(timeline=timeline)
        self.chronicle = Chronicle(timeline)
        self.shown: Drawn | None = None
        """None before the first frame."""
        self._panels: Panels | None = None
        self._pictured: tuple[Scene, Scene | None] | None = None

    def show(
        self, scene: Scene, channel: Channel, snapshot: Snapshot, choices: Choices
    ) -> None:
        """Bring the figures up to date."""
        new, old = drawn(scene, channel, self.shown, choices.axis), self.shown
        if self._panels is None or old is None or is_of_another_kind(old, new):
            self._panels = self._build(new, choices)
        else:
            update(self._panels, old, new, choices)
        self.shown = new
        self.chronicle.show(self._panels, scene, new.trends, new.axis, snapshot)

    def picture(self, reference: Scene | None) -> None:
        """The frame as it is, or what has changed since `reference`."""
        if self._panels is None or self.shown is None:
            return
        scene = self.shown.scene
        if reference is not None and refusal(scene, reference):
            reference = None
        if self._pictured != (scene, reference):
            change = None if reference is None else difference(scene, reference)
            show_picture(self._panels, scene, change)
            self._pictured = scene, reference

    def show_part(self, zoom: Zoom) -> None:
        """A part of the frame."""
        if self._panels is not None and self.shown is not None:
            show_part(self._panels.area, zoom, self.shown.scene.extent)

    def show_manifold(self, manifolds: Manifolds) -> None:
        """What the decoder draws, once per model, whenever it is ready."""
        if self._panels is not None and self.shown is not None:
            model = self.shown.scene.model
            show_manifold(self._panels.plane, model, manifolds.of(model))

    def choose(self, before: Choices, now: Choices) -> None:
        """Draw as the viewer chose; a frame that is held keeps its colours."""
        if self._panels is None or self.shown is None:
            return
        apply_choices(self._panels, now)
        if now.mapped != before.mapped:
            show_mapped(self._panels, self.shown.scene, self.shown.trend, now)

    def _build(self, new: Drawn, choices: Choices) -> Panels:
        """Make the figures, for the first frame and for those of another kind."""
        made = panels(new.scene, new.trend, self.chronicle.over)
        show_ruler(made, new.trend)
        draw_limits(made.figures["series"], self._rules)
        apply_choices(made, choices)
        show_mapped(made, new.scene, new.trend, choices)
        self._pictured = new.scene, None
        doc = self._state.document
        # Bokeh would go through all models for each place.
        with nullcontext() if doc is None else doc.models.freeze():
            for name, place in self._places.items():
                place.children = [made.figures[name]]
            self._state.update(
                plots=plots_in(self._places.values()),
                handles=handles(made),
                latent_space=made.plane.mirrored,
            )
        return made


def is_of_another_kind(old: Drawn, new: Drawn) -> bool:
    """Whether what shows `old` cannot show `new`."""
    return panels_key(old.scene) != panels_key(new.scene)


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
