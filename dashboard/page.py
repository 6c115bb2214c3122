"""One open page: what its viewer looks at, and how it is kept up to date."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bokeh.models import Column

from dashboard.alert_words import alert_lines
from dashboard.archive import Visitor
from dashboard.bookmark import Bookmark, link
from dashboard.choices import Choices
from dashboard.drawing import Drawing
from dashboard.hub import Hub, Paint
from dashboard.mapped import mappable, mapped, words
from dashboard.runs import run_lines
from dashboard.scene import Scene
from dashboard.snapshot import Channel, LinkState, Snapshot
from dashboard.state import PageState
from dashboard.status import latency_share, status
from dashboard.takeaway import Wanted, taken, wanted
from dashboard.travel import reach_of
from dashboard.traveller import Traveller
from dashboard.view import Mode, View
from dashboard.whereabouts import scanned_share, under_scan
from streamer.session.notes import MOST_SEQ

PAINT_TIMEOUT_S = 5.0
"""How long to wait for a browser to paint: a tab that is hidden never does."""


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
        Empty layouts by the names in `drawing.PLACES`; figures are put there when the
        first frame says which ones.
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
        self._traveller = Traveller(sought, visitor)
        self._choices = Choices().granting_all(sought.choices if sought else {})
        self._drawing = Drawing(state, places, hub.rules)
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
            self._drawing.show_manifold(self._hub.manifolds)
            return
        if self._browser_is_busy():
            return
        self._number += 1
        self._state.update(sending=self._number)
        seen = self._traveller.in_its_run(snapshot)
        self._draw(seen)
        self._drawing.show_manifold(self._hub.manifolds)
        self._tell(seen)
        self._sent, self._sent_s = wanted, self._hub.clock()
        self._state.update(sent=self._number)

    def painted(self, number: int) -> None:
        """The browser has painted update `number`, and is ready for the next."""
        self._painted = number
        new = self._unpainted
        if new is not None and number == self._number:
            now_s = self._hub.clock()
            self._hub.paint(Paint(new.scene.seq, new.arrived_s, now_s))
            self._unpainted = None
        self.refresh()

    def grant(self, wish: Mapping[str, object]) -> None:
        """Do what the viewer asks for; what makes no sense changes nothing."""
        verb, what = wish.get("verb"), wish.get("object")
        match verb, what:
            case "take", str(told):
                self._hand_over(told)
            case "rescale", _:
                self._drawing.chronicle.rescale()
                self._sent = None
            case "note", str(text):
                self._note(text, wish.get("seq"), wish.get("run"))
        if (shown := self._drawing.shown) is not None:
            self._traveller.grant((verb, what), self._hub.snapshot, shown.scene)
        self._choose(self._choices.granting(verb, what))
        self.refresh()

    def _choose(self, choices: Choices) -> None:
        before, self._choices = self._choices, choices
        self._drawing.choose(before, choices)
        if (shown := self._drawing.shown) is not None:
            self._tell_choices(shown.scene)

    def _hand_over(self, told: str) -> None:
        """Send the browser the file that its viewer wants, or say why not."""
        if (shown := self._drawing.shown) is None:
            return
        snapshot = self._traveller.in_its_run(self._hub.snapshot)
        channel = self._view.shown_channel(snapshot)
        scenes = () if channel is None else channel.history.scenes
        try:
            wish = wanted(told)
            # A newer frame may be on its way to whoever asked for this one.
            seen = (scene for scene in scenes if is_what_was_seen(scene, wish))
            scene = next(seen, shown.scene)
            file = taken(scene, self._view.name(snapshot) or "", wish)
        except ValueError as error:
            self._state.update(refusal=str(error))
            return
        self._state.update(refusal="", file_name=file.name, file=file.content)
        self._state.update(file=None)

    def _note(self, text: str, seq: object, run: object) -> None:
        """Keep what the viewer wrote of frame `seq`, else of the one that is shown.

        The run is that of the frame which the viewer saw: another may have begun since.
        """
        if (shown := self._drawing.shown) is None:
            return
        known = isinstance(seq, int) and 0 <= seq <= MOST_SEQ
        about = seq if known and isinstance(seq, int) else shown.scene.seq
        channel = self._view.shown_channel(self._hub.snapshot)
        runs = (
            ()
            if channel is None
            else (channel.history.stream.id, *channel.earlier_runs)
        )
        seen = run if isinstance(run, str) and run in runs else shown.scene.stream.id
        self._hub.note(seen, about, text)

    def _browser_is_busy(self) -> bool:
        waited_s = self._hub.clock() - self._sent_s
        return self._painted < self._number and waited_s < PAINT_TIMEOUT_S

    def _draw(self, snapshot: Snapshot) -> None:
        """Bring the figures up to date."""
        channel = self._view.shown_channel(snapshot)
        scene = self._view.shown_scene(snapshot)
        if channel is None or scene is None:
            return
        old = self._drawing.shown
        if self._view.mode is Mode.LIVE and (old is None or scene is not old.scene):
            self._unpainted = Unpainted(scene, channel.arrived_s)
        self._drawing.show(scene, channel, snapshot, self._choices)
        self._drawing.picture(self._view.reference)
        if (zoom := self._traveller.zoom(snapshot)) is not None:
            self._drawing.show_part(zoom)

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
            quiet_s=self._quiet_s(snapshot, channel),
            waited_s=waited_s(channel),
            channels=list(snapshot.channels),
            channel=self._view.name(snapshot) or "",
            runs=self._runs(snapshot),
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
                run=scene.stream.id,
                scanned=scanned_share(under_scan(self._view, snapshot) or scene),
                mappable={column: words(column) for column in mappable(scene)},
                mapped=mapped(scene, self._choices),
                found=scene.found,
            )
            self._tell_choices(scene)

    def _runs(self, seen: Snapshot) -> dict[str, str]:
        """All runs of the channel that is shown, by id, and what to call them."""
        name = self._view.name(seen) or ""
        newest = self._hub.snapshot.channels.get(name)
        frames = len(newest.history.records) if newest else 0
        return dict(run_lines(seen.runs.get(name, ()), frames))

    def _tell_choices(self, scene: Scene) -> None:
        """What a link to `scene` must say, so that it looks as it does here."""
        choices, reference = self._choices, self._view.reference
        same_run = reference is not None and reference.stream.id == scene.stream.id
        against = reference.seq if reference is not None and same_run else None
        self._state.update(
            choices=choices.wishes(), link=link(scene.stream, choices, against)
        )

    def _quiet_s(self, snapshot: Snapshot, channel: Channel | None) -> float | None:
        """Since a frame was published last; None when no further one is awaited."""
        over = snapshot.link.state in (LinkState.RECORDED, LinkState.FAILED)
        if channel is None or channel.ended or over:
            return None
        return self._hub.clock() - channel.published_s


def waited_s(channel: Channel | None) -> float:
    """How long the last frame had waited for its analysis, and that had taken."""
    latency_s = 0.0 if channel is None else channel.history.newest.latency_s
    return latency_s if math.isfinite(latency_s) else 0.0


def is_what_was_seen(scene: Scene, wish: Wanted) -> bool:
    """Whether it is the frame that a viewer saw when asking for its atoms."""
    return scene.seq == wish.seq and wish.run in (None, scene.stream.id)
