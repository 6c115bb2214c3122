"""How long the browser takes to do what a viewer wants, in JavaScript.

Each begins with what the viewer does and ends with the animation frame after all maps
that it changes have been painted.
"""

from collections.abc import Mapping

_TIMED = """(async () => {{
  const state = Bokeh.documents[0].get_model_by_name("state")
  const maps = state.plots.filter((plot) => plot.output_backend == "webgl")
  const views = maps.map((plot) => Bokeh.index.find_one(plot)).slice(0, {maps})
  const frame = () => new Promise((done) => requestAnimationFrame(done))
  const took = []
  for (let turn = 0; turn < {turns}; turn++) {{
    const painted = views.map((view) => view._render_count)
    const begin = performance.now()
    {act}
    while (views.some((view, i) => view._render_count == painted[i])) await frame()
    await frame()
    took.push(performance.now() - begin)
    for (let pause = 0; pause < 5; pause++) await frame()
  }}
  return took
}})()"""

ACTS: Mapping[str, tuple[int, str]] = {
    "pan": (
        3,
        "const by = turn % 2 ? -1 : 1, {x_range: x} = maps[0];"
        "x.setv({start: x.start + by, end: x.end + by})",
    ),
    "zoom": (
        3,
        "const by = turn % 2 ? 2 : 0.5, {x_range: x, y_range: y} = maps[0];"
        "x.end = x.start + by * (x.end - x.start);"
        "y.end = y.start + by * (y.end - y.start)",
    ),
    "atoms on or off": (1, 'document.getElementById("atoms").click()'),
}
"""How many of the maps each changes, and what does it."""


def timed(name: str, turns: int) -> str:
    """An expression whose value is the milliseconds of each turn."""
    maps, act = ACTS[name]
    return _TIMED.format(maps=maps, turns=turns, act=act)
