// A part of the plane of two quantities, and the atoms in it; `dashboard/region.py`
// says the same of a region, to the last bit. It stands in links as it is, and so has few
// corners, at short numbers.

import {short} from "./link.mjs"

const MOST_CORNERS = 100

export const region_of = (axes, {type, x, y, x0, x1, y0, y1}) => {
  if (type == "rect") return tidy({axes, x: [x0, x1, x1, x0], y: [y0, y0, y1, y1]})
  const every = Math.ceil(x.length / MOST_CORNERS)
  const thinned = (corners) => Array.from(corners).filter((_, i) => i % every == 0)
  return tidy({axes, x: thinned(x), y: thinned(y)})
}

const tidy = ({axes, x, y}) => ({axes, x: shortened(x), y: shortened(y)})

const shortened = (values) => {
  const span = Math.max(...values) - Math.min(...values) || 1
  return values.map((value) => Number(short(value, span)))
}

// As it stands in a link: its axes, then the corners.
export const in_words = ({axes, x, y}) => [...axes, ...x.map((each, i) => `${each} ${y[i]}`)].join(",")

// The region that a link asks for; null if that is none.
export const region_in = (link) => {
  const [x_axis, y_axis, ...corners] = (link.get("region") ?? "").split(",")
  const points = corners.slice(0, MOST_CORNERS).map((each) => each.split(" ").map(Number))
  const good = points.length > 2
    && points.every((point) => point.length == 2 && point.every(Number.isFinite))
  return good ? {axes: [x_axis, y_axis], x: points.map(([x]) => x), y: points.map(([, y]) => y)} : null
}

// Numbers of the atoms at (xs, ys) that lie inside: even-odd rule.
export const inside = ({x, y}, xs, ys) => {
  const [left, right] = [Math.min(...x), Math.max(...x)]
  const [bottom, top] = [Math.min(...y), Math.max(...y)]
  const found = []
  for (let i = 0; i < xs.length; i++) {
    const [px, py] = [xs[i], ys[i]]
    if (px >= left && px <= right && py >= bottom && py <= top
        && surrounds(x, y, px, py)) found.push(i)
  }
  return found
}

const surrounds = (x, y, px, py) => {
  let odd = false
  for (let i = 0, j = x.length - 1; i < x.length; j = i++) {
    if ((y[i] > py) != (y[j] > py)
        && px < (x[j] - x[i]) * (py - y[i]) / (y[j] - y[i]) + x[i]) odd = !odd
  }
  return odd
}
