// Between which values of the frame its greys lie: those that each frame brings, or
// held ones. Limits are in the frame's own units; the picture has grey levels, which
// mean other values in each frame.
// Held limits stand in links as `black` and `white`.

import {handle} from "./handles.mjs"
import {number_in, short} from "./link.mjs"
import {element, say} from "./words.mjs"

const LEVELS = 255
const ROOM = 0.04  // of the histogram's width, beyond its ends

const rounded = (value) => Number(value.toPrecision(4))

const limits_in = (link) => {
  const [low, high] = ["black", "white"].map((name) => number_in(link, name))
  return low < high ? {low, high} : null
}

// The grey level at which `value` would lie in a picture from `low` to `high`.
export const level_of = (value, {low, high}) =>
  high > low ? LEVELS * (value - low) / (high - low) : value > high ? LEVELS : 0

const in_words = ({low, high}) => ({black: short(low, high - low), white: short(high, high - low)})

const frame_of = (state) => {
  const source = handle(state, "image")
  if (source == null) return null
  const [low, high, greys] = ["low", "high", "greys"].map((name) => source.get_column(name)[0])
  return {low, high, greys}
}

const set_colours = (state, frame, limits) => {
  const [levels, values] =
    ["grey", "grey-values"].map((name) => handle(state, name))
  const low = level_of(limits.low, frame)
  // A picture of one value has no span to be stretched.
  const high = frame.high > frame.low ? level_of(limits.high, frame) : LEVELS
  levels?.setv({low, high}, {sync: false})
  values?.setv({...limits}, {sync: false})
}

// What the histogram's width stands for.
const scope = (frame, limits) => {
  const low = Math.min(frame.low, limits.low), high = Math.max(frame.high, limits.high)
  const room = ROOM * (high - low) || 1
  return {low: low - room, high: high + room}
}

const share = (value, {low, high}) => (value - low) / (high - low)

// The first and the last level hold all that was cut off, so that they set no scale.
const outline = ({low, high, greys}, shown) => {
  const inner = Math.max(1, ...greys.slice(1, -1))
  const points = [...greys].map((count, level) => {
    const x = 100 * share(low + (high - low) * level / LEVELS, shown)
    const y = 100 - 96 * Math.min(1, Math.sqrt(count / inner))
    return `${x.toFixed(2)} ${y.toFixed(1)}`
  })
  const [first, last] = [low, high].map((end) => (100 * share(end, shown)).toFixed(2))
  return `M${first} 100L${points.join("L")}L${last} 100Z`
}

export const start_contrast = (state, link) => {
  const box = element("contrast-box")
  const drawing = element("greys")
  const inputs = {low: element("contrast-low"), high: element("contrast-high")}
  let held = limits_in(link)
  let dragged = null

  const draw = (frame, limits) => {
    const shown = dragged?.shown ?? scope(frame, limits)
    element("greys-outline").setAttribute("d", outline(frame, shown))
    for (const end of ["low", "high"]) {
      const line = element(`greys-${end}`), x = 100 * share(limits[end], shown)
      line.setAttribute("x1", x)
      line.setAttribute("x2", x)
      if (document.activeElement !== inputs[end]) inputs[end].value = rounded(limits[end])
    }
  }

  const update = () => {
    const frame = frame_of(state)
    element("contrast").dataset.on = held != null
    element("contrast-auto").setAttribute("aria-pressed", held == null)
    element("contrast-hold").setAttribute("aria-pressed", held != null)
    say("contrast-words", held == null
      ? "of every frame: 0.5 to 99.5 % of its pixels" : "held for the next frames")
    if (frame == null) return
    const limits = held ?? {low: frame.low, high: frame.high}
    set_colours(state, frame, limits)
    if (!box.hidden) draw(frame, limits)
  }

  const hold = (limits) => {
    held = limits
    update()
  }

  const present = () => {
    const frame = frame_of(state)
    return held ?? (frame && {low: frame.low, high: frame.high})
  }

  const type = () => {
    const limits = {low: inputs.low.valueAsNumber, high: inputs.high.valueAsNumber}
    const good = limits.low < limits.high
    for (const input of Object.values(inputs))
      input.setCustomValidity(good ? "" : "black lies below white")
    if (good) hold(limits)
  }

  const value_at = (event, {low, high}) => {
    const {left, width} = drawing.getBoundingClientRect()
    return low + (high - low) * Math.min(1, Math.max(0, (event.clientX - left) / width))
  }

  const drag = (event) => {
    if (dragged == null) return
    const {end, shown} = dragged, limits = {...present(), [end]: value_at(event, shown)}
    if (limits.low < limits.high) hold(limits)
  }

  drawing.onpointerdown = (event) => {
    const frame = frame_of(state), limits = present()
    if (frame == null || event.button != 0) return
    const shown = scope(frame, limits), value = value_at(event, shown)
    const end = Math.abs(value - limits.low) < Math.abs(value - limits.high) ? "low" : "high"
    dragged = {end, shown}
    drawing.setPointerCapture(event.pointerId)
    drag(event)
  }
  drawing.onpointermove = drag
  drawing.onpointerup = drawing.onpointercancel = () => { dragged = null; update() }
  drawing.ondblclick = () => hold(null)
  for (const input of Object.values(inputs)) {
    input.oninput = type
    input.onblur = update
  }
  element("contrast-auto").onclick = () => hold(null)
  element("contrast-hold").onclick = () => hold(present())
  element("contrast-full").onclick = () => {
    const frame = frame_of(state)
    if (frame != null) hold({low: frame.low, high: frame.high})
  }
  element("contrast").onclick = () => {
    box.hidden = !box.hidden
    element("contrast").setAttribute("aria-expanded", !box.hidden)
    update()
  }
  return {
    dress: update,
    linked: () => held == null ? {} : in_words(held),
  }
}
