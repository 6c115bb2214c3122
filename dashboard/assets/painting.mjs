// What one update changes is painted at once: half of it is never seen, and a map of
// ten thousand atoms is not painted twice.

const HOLD_AT_MOST_MS = 2000

// Two frames on, what was sent before `sent` is on the screen.
const when_painted = (then) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(then)))

export const paint_at_once = (state, updated) => {
  let patience = 0
  const hold = (held) => {
    clearTimeout(patience)
    if (held) patience = setTimeout(() => hold(false), HOLD_AT_MOST_MS)
    for (const plot of state.plots) plot.setv({hold_render: held}, {sync: false})
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
