// The plots over time: which part of the axis they show, and what stands there.
//
// The server says what there is. Which part of it is shown is decided here: all of it,
// the newest of it, or the part that the viewer has zoomed to.

import {on_choice, show_choice} from "./choice.mjs"
import {element, say} from "./words.mjs"

const REACH_PX = 7  // from the pointer to a mark
const THREE = new Intl.NumberFormat("en", {maximumSignificantDigits: 3})
const FINE = new Intl.NumberFormat("en", {maximumSignificantDigits: 5})

// Bokeh hands over a dict as an object or as a Map.
const column_of = ({data}, name) => data instanceof Map ? data.get(name) : data[name]

const frames = (timeline, from, to) => {
  const {unit, width} = timeline
  if (timeline.axis != "frames")
    return `${THREE.format(from)} to ${THREE.format(to)} ${unit}`
  const [first, last] = [Math.ceil(from), Math.floor(to)]
  return width > 0 && last > first ? `frames ${first} to ${last}` : `frame ${first}`
}

// All of the axis, a stretch that ends with the newest frame, or one that stays.
class Window {
  constructor(timeline) {
    this.timeline = timeline
    this.follows = "all"
    this.known = null
    this.moving = false
    timeline.shown.change.connect(() => this.moving || this.taken())
  }

  // The viewer has zoomed.
  taken() {
    const {shown, start, end, width} = this.timeline
    const newest = shown.end >= end - width / 2
    this.follows = newest ? shown.start <= start ? "all" : "newest" : "nothing"
    if (this.follows == "all") this.move(start, end)
    else if (newest) this.move(shown.start, end)
    else if (shown.start < start) this.move(start, shown.end)
    this.say()
  }

  all() {
    this.follows = "all"
    this.move(this.timeline.start, this.timeline.end)
    this.say()
  }

  // The server has sent what is new.
  update() {
    const {axis, scale, start, end, shown} = this.timeline
    const old = this.known ?? {axis, scale, end}
    this.known = {axis, scale, end}
    if (this.follows == "all" || axis != old.axis) return this.all()
    const times = old.scale / scale
    const on = this.follows == "newest" ? end - old.end * times : 0
    this.move(shown.start * times + on, shown.end * times + on)
    this.say()
  }

  move(start, end) {
    this.moving = true
    this.timeline.shown.setv({start, end}, {sync: false})
    this.moving = false
  }

  say() {
    const {shown: {start, end}} = this.timeline
    const part = () => frames(this.timeline, start, end)
    const words = {
      all: () => "following",
      newest: () => `following · ${part()}`,
      nothing: () => `zoom held · ${part()}`,
    }
    say("window", words[this.follows]())
  }
}

const duration = (seconds) => {
  const two = (number) => String(number).padStart(2, "0")
  const whole = Math.floor(seconds)
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
}

const dose_in_words = (dose) => {
  const [mantissa, power] = dose.toExponential(2).split("e")
  const raised = [...String(Number(power))].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("")
  return `${mantissa} × 10${raised} e/nm²`
}

const place = (lines, index) => {
  const [seq, time_s, dose] = ["seq", "time_s", "dose_e_nm2"]
    .map((name) => column_of(lines, name)[index])
  const words = [`frame ${FINE.format(seq)}`]
  if (Number.isFinite(time_s)) words.push(duration(time_s))
  if (Number.isFinite(dose)) words.push(dose_in_words(dose))
  return words.join(" · ")
}

// What stands at (x, y) of a plot: marks that are near, and the numbers of the column.
const reading = (timeline, plot, x, y, reach) => {
  const [label, column] = plot.tags
  const {lines, gaps, marks, start, width} = timeline
  const at = Math.floor((x - start) / width)
  const said = []
  if (Number.isFinite(column_of(lines, "seq")[at])) {
    said.push(place(lines, at))
    const value = column ? column_of(lines, column)[at] : y
    if (Number.isFinite(value)) said.push(`${label}: ${FINE.format(value)}`)
  }
  const [left, right] = [column_of(gaps, "left"), column_of(gaps, "right")]
  const where = column_of(marks, "x")
  for (const [i, words] of column_of(gaps, "words").entries())
    if (x > left[i] - reach && x < right[i] + reach) said.push(words)
  for (const [i, words] of column_of(marks, "words").entries())
    if (Math.abs(where[i] - x) < reach) said.push(words)
  return said
}

const watch_plot = (timeline, window_, plot) => {
  const hint = element("reading")
  plot.on_event("mousemove", ({x, y, sx, sy}) => {
    const {start, end} = timeline.shown
    const wide = plot.inner_width || 200
    const said = reading(timeline, plot, x, y, REACH_PX * (end - start) / wide)
    hint.hidden = said.length == 0 || x < start || x > end
    hint.replaceChildren(...said.map((line) => {
      const each = document.createElement("div")
      each.textContent = line
      return each
    }))
  })
  plot.on_event("mouseleave", () => { hint.hidden = true })
  plot.on_event("doubletap", () => window_.all())
}

// Beside the pointer, on the side where there is room.
const follow_pointer = () => {
  const hint = element("reading")
  addEventListener("pointermove", ({clientX: x, clientY: y}) => {
    const {offsetWidth, offsetHeight} = hint
    const left = x + 14 + offsetWidth > innerWidth ? x - 14 - offsetWidth : x + 14
    const top = y + 14 + offsetHeight > innerHeight ? y - 14 - offsetHeight : y + 14
    hint.style.transform = `translate(${left}px, ${top}px)`
  })
}

export const watch_timeline = (timeline, wish) => {
  const window_ = new Window(timeline)
  const watched = new WeakSet()
  on_choice(element("axis"), (value) => wish("axis", value))
  element("rescale").onclick = () => wish("rescale")
  follow_pointer()
  return () => {
    for (const plot of timeline.plots) {
      if (!watched.has(plot)) watch_plot(timeline, window_, plot)
      watched.add(plot)
    }
    const select = element("axis")
    for (const option of select.options)
      option.disabled = !timeline.offered.includes(option.value)
    show_choice(select, timeline.axis)
    select.disabled = timeline.offered.length < 2
    select.title = timeline.words || "What plots over time are drawn over"
    say("axis-words", timeline.words)
    say("ranges", timeline.ranges)
    if (timeline.plots.length) window_.update()
  }
}
