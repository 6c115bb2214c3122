// What one update changes is painted at once: half of it is never seen, and a map of
// ten thousand atoms is not painted twice. What it does not change is not painted.

const HOLD_AT_MOST_MS = 2000

const SILENTLY = {silent: true, sync: false}

// Two frames on, what was sent before `sent` is on the screen.
const when_painted = (then) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(then)))

// Bokeh paints a figure anew, whole, whenever it is told that it may paint again. It
// keeps in mind what has changed meanwhile, and has no other way to ask for just that.
const paint_what_changed = (plot) => {
  const view = Bokeh.index.find_one(plot)
  if (view?._invalidate_all || view?._invalidated_painters.size) view.schedule_paint()
}

export const paint_at_once = (state, updated) => {
  let patience = 0
  const hold = (held) => {
    clearTimeout(patience)
    if (held) patience = setTimeout(() => hold(false), HOLD_AT_MOST_MS)
    for (const plot of state.plots) {
      plot.setv({hold_render: held}, SILENTLY)
      if (!held) paint_what_changed(plot)
    }
  }
  const finish = () => {
    const {sent} = state
    updated()
    hold(false)
    when_painted(() => { state.painted = sent })
  }
  state.properties.sending.change.connect(() => hold(true))
  state.properties.sent.change.connect(finish)
  finish()
}
