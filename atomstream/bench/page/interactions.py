"""How long the browser takes to do what a viewer wants, by mouse and keys.

Each begins with the browser's own event and ends with the animation frame after all
maps that it changes have been painted. While a viewer drags or zooms, Bokeh draws
every tenth atom on a plain canvas, and all of them half a second after the last move:
how long that takes is measured for itself.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from atomstream.bench.page.chromium import Tab

WHOLE = "all atoms of the maps"
"""Painted anew, after what a viewer does."""
SETTLED_S = 1.5
"""After which all atoms are there again."""

_WATCH = """(() => {
  const {plots} = Bokeh.documents[0].get_model_by_name("state")
  const maps = plots.filter((plot) => plot.output_backend == "webgl")
  const views = maps.map((plot) => Bokeh.index.find_one(plot))
  const painted = (count, begin) => new Promise((done) => {
    const waited = views.slice(0, count)
    const before = waited.map((view) => view._render_count)
    const end = () => done(performance.now() - begin)
    const look = () => requestAnimationFrame(
      waited.some((view, i) => view._render_count == before[i]) ? look : end)
    look()
  })
  window.watch = (kind, count) => {
    window.took = new Promise((done) => addEventListener(
      kind, ({timeStamp}) => painted(count, timeStamp).then(done),
      {once: true, capture: true}))
  }
  window.repaint = () => {
    for (const view of views) view.request_repaint()
    return painted(views.length, performance.now())
  }
  const {left, top, width, height} = views[0].el.getBoundingClientRect()
  return [left + width / 2, top + height / 2]
})()"""


@dataclass(frozen=True, slots=True)
class Hand:
    """A viewer's, over the middle of the first map."""

    tab: Tab
    x: float
    y: float

    async def mouse(
        self, kind: str, right: float = 0, down: float = 0, turned: float = 0
    ) -> None:
        """Something that the mouse does, so many pixels from the middle."""
        pressed = kind in ("mousePressed", "mouseReleased")
        await self.tab.ask(
            "Input.dispatchMouseEvent",
            {
                "type": kind,
                "x": self.x + right,
                "y": self.y + down,
                "button": "left" if pressed else "none",
                "buttons": 0 if kind in ("mouseReleased", "mouseWheel") else 1,
                "clickCount": int(pressed),
                "deltaX": 0,
                "deltaY": turned,
            },
        )

    async def key(self, name: str) -> None:
        """Press a key and let it go."""
        for kind in ("keyDown", "keyUp"):
            await self.tab.ask(
                "Input.dispatchKeyEvent",
                {"type": kind, "key": name, "text": name if kind == "keyDown" else ""},
            )


@asynccontextmanager
async def _dragging(hand: Hand) -> AsyncIterator[None]:
    await hand.mouse("mousePressed")
    await hand.mouse("mouseMoved", right=20)  # far enough not to be a click
    yield
    await hand.mouse("mouseReleased")


async def _pan(hand: Hand, turn: int) -> None:
    await hand.mouse("mouseMoved", right=20 + 15 * (turn % 2), down=10 * (turn % 2))


async def _zoom(hand: Hand, turn: int) -> None:
    await hand.mouse("mouseWheel", turned=120 if turn % 2 else -120)


async def _zoom_by_key(hand: Hand, turn: int) -> None:
    await hand.key("-" if turn % 2 else "+")


async def _atoms(hand: Hand, turn: int) -> None:
    del turn  # on and off in turn, whatever it is
    await hand.tab.evaluate('document.getElementById("atoms").click()')


ACTS: Mapping[str, tuple[str, int, Callable[[Hand, int], Awaitable[None]]]] = {
    "pan": ("pointermove", 3, _pan),
    "zoom": ("wheel", 3, _zoom),
    "zoom by key": ("keydown", 3, _zoom_by_key),
    "atoms on or off": ("click", 1, _atoms),
}
"""By what each begins, how many of the maps it changes, and what does it."""


async def interactions(tab: Tab, turns: int) -> dict[str, list[float]]:
    """Milliseconds of each turn of each act, and of painting all atoms anew."""
    x, y = await tab.evaluate(_WATCH)
    hand = Hand(tab, x, y)
    took = {}
    for name in ACTS:
        if name == "pan":
            async with _dragging(hand):
                took[name] = await _turns(hand, name, turns)
        else:
            took[name] = await _turns(hand, name, turns)
        await asyncio.sleep(SETTLED_S)
    took[WHOLE] = [await tab.evaluate("repaint()") for _ in range(turns)]
    return took


async def _turns(hand: Hand, name: str, turns: int) -> list[float]:
    kind, maps, act = ACTS[name]
    took = []
    for turn in range(turns):
        await hand.tab.evaluate(f'watch("{kind}", {maps})')
        await act(hand, turn)
        took.append(await hand.tab.evaluate("took"))
    return took
