// Pan and zoom of all maps by keys; they share their ranges.

import {handle} from "./handles.mjs"

const ranges = ({plots}) => plots.length ? [plots[0].x_range, plots[0].y_range] : []

const within = (low, value, high) => Math.min(Math.max(value, low), high)

// As when they are dragged: until the last key, on a plain canvas, some atoms do.
const begin = ({document, plots}) => {
  if (plots.length) document.interactive_start(plots[0])
}

// Lets a range span `length` around its middle, y still growing downward.
const span = (range, length) => {
  const {start, end, min_interval, max_interval} = range
  const middle = (start + end) / 2
  const half = within(min_interval, length, max_interval) / 2 * Math.sign(end - start)
  range.setv({start: middle - half, end: middle + half})
}

const length = ({start, end}) => Math.abs(end - start)

export const fit = (state) => ranges(state).forEach((range) => range.reset())

export const zoom = (state, factor) => {
  begin(state)
  ranges(state).forEach((range) => span(range, length(range) / factor))
}

// A pixel of the frame as it arrived takes `count` pixels of the screen.
export const show_pixels = (state, count) => {
  const [x, y] = ranges(state)
  const source = handle(state, "image")
  const view = state.document.views_manager.find_one(state.plots[0])
  if (source == null || view == null) return
  const screen_px = view.frame.bbox.width * devicePixelRatio
  for (const range of [x, y])
    span(range, source.get_column("pixel")[0] * screen_px / count)
}

// By shares of what is shown.
export const pan = (state, right, down) => {
  const [x, y] = ranges(state)
  if (x == null) return
  begin(state)
  for (const [range, share] of [[x, right], [y, -down]]) {
    const step = share * (range.end - range.start)
    range.setv({start: range.start + step, end: range.end + step})
  }
}
