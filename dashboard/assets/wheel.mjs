// Colours of orientation as directions on the screen, and where they begin. The colour
// of a direction is that of its angle, modulo the period: it comes back as often as the
// period fits into a whole turn. Where they begin stands in links as `zero`.

import {handle} from "./handles.mjs"
import {number_in} from "./link.mjs"
import {element} from "./words.mjs"

const SVG = "http://www.w3.org/2000/svg"
const SECTORS = 360
const RADII = {inner: 31, outer: 48}  // of a box of 100, its middle at 0

const rad = (degrees) => degrees * Math.PI / 180

const modulo = (value, period) => (value % period + period) % period

// Half a period about zero, as angles are in the table.
const wrapped = (angle, period) => modulo(angle + period / 2, period) - period / 2

export const colour_of = (angle, {low, high, palette}) => {
  const share = modulo(angle - low, high - low) / (high - low)
  return palette[Math.min(palette.length - 1, Math.floor(share * palette.length))]
}

// `palette` so that `zero` has the colour that 0 had.
const turned = (palette, zero, period) => {
  const steps = Math.round(zero / period * palette.length)
  return palette.map((_, i) => palette[modulo(i - steps, palette.length)])
}

// Counter-clockwise from the right, as seen on the screen, where y grows downward.
const point = (radius, degrees) =>
  `${(radius * Math.cos(rad(degrees))).toFixed(2)} ${(-radius * Math.sin(rad(degrees))).toFixed(2)}`

const sector = (middle, i) => {
  const step = 360 / SECTORS
  // Each reaches below the next, so that nothing shines through where they meet.
  const from = middle - step * (i == 0 ? 1.5 : 0.5)
  const to = middle + step * (i == SECTORS - 1 ? 0.5 : 1.5)
  const {inner, outer} = RADII
  const path = document.createElementNS(SVG, "path")
  path.setAttribute("d", `M${point(inner, from)}L${point(outer, from)}L${point(outer, to)}L${point(inner, to)}Z`)
  return path
}

export const start_wheel = (state, link) => {
  const wheel = element("wheel"), drawing = element("wheel-ring"), input = element("wheel-zero")
  const directions = Array.from({length: SECTORS}, (_, i) => i * 360 / SECTORS)
  const sectors = directions.map(sector)
  const bases = new WeakMap()  // palettes as the server sent them, by mapper
  let zero = number_in(link, "zero") || 0
  let setting = false
  let typing = false
  drawing.append(...sectors)

  const write_zero = () => { if (!typing) input.value = Number(zero.toFixed(1)) }

  const colours = () => handle(state, "angle")

  const draw = (mapper) => {
    directions.forEach((angle, i) => sectors[i].setAttribute("fill", colour_of(angle, mapper)))
  }

  const apply = (mapper) => {
    setting = true
    mapper.setv({palette: turned(bases.get(mapper), zero, mapper.high - mapper.low)}, {sync: false})
    setting = false
    draw(mapper)
  }

  const adopt = (mapper) => {
    bases.set(mapper, mapper.palette)
    apply(mapper)
  }

  const update = () => {
    const mapper = colours()
    wheel.classList.toggle("blank", mapper == null)
    if (mapper == null || bases.has(mapper)) return
    mapper.properties.palette.change.connect(() => { if (!setting) adopt(mapper) })
    adopt(mapper)
  }

  const turn_to = (angle) => {
    const mapper = colours()
    if (mapper == null || !Number.isFinite(angle)) return
    zero = wrapped(angle, mapper.high - mapper.low)
    apply(mapper)
    write_zero()
  }

  const direction = (event) => {
    const {left, top, width, height} = drawing.getBoundingClientRect()
    const x = event.clientX - left - width / 2, y = event.clientY - top - height / 2
    return Math.atan2(-y, x) * 180 / Math.PI
  }

  let grip = null
  drawing.onpointerdown = (event) => {
    if (event.button != 0) return
    grip = direction(event) - zero
    drawing.setPointerCapture(event.pointerId)
  }
  drawing.onpointermove = (event) => { if (grip != null) turn_to(direction(event) - grip) }
  drawing.onpointerup = drawing.onpointercancel = () => { grip = null }
  drawing.onwheel = (event) => {
    event.preventDefault()
    turn_to(zero - Math.sign(event.deltaY))
  }
  drawing.ondblclick = () => turn_to(0)
  input.oninput = () => {
    typing = true
    turn_to(input.valueAsNumber)
    typing = false
  }
  input.onblur = write_zero
  element("wheel-shown").onclick = (event) => {
    wheel.hidden = !wheel.hidden
    event.currentTarget.setAttribute("aria-pressed", !wheel.hidden)
  }
  write_zero()
  return {dress: update, linked: () => zero == 0 ? {} : {zero: Number(zero.toFixed(1))}}
}
