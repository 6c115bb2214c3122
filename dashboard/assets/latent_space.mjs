// The plane of two latents: its axes, the density of atoms in it, and the decoder's
// drawing behind. The values are those of the maps, which are here already. Axes that
// are not the usual ones stand in links as `plane`.

import {element} from "./words.mjs"

const set_quietly = (model, values) => model.setv(values, {sync: false})

// Bokeh hands over a dict as an object or as a Map.
const as_map = (dict) => dict instanceof Map ? dict : new Map(Object.entries(dict))

const SELECTS = ["latent-x", "latent-y"]

let linked_axes = []
let shown = null
let counted = []
const heard = new WeakSet()

export const write_latent_space = (state) => {
  const space = state.latent_space
  element("no-latents").hidden = space == null || space.axes.length > 0
  if (space == null || space.axes.length == 0) return
  offer(space)
  const axes = chosen_axes()
  const ranges = axes.map((name) => as_map(space.ranges).get(name))
  const ends = ranges.map(({start, end}) => [start, end])
  show_all_if_new(space, axes, ends)
  fill(space, axes, ends)
  write_manifold(space, axes)
  listen(state, space)
}

export const chosen_axes = () => SELECTS.map((id) => element(id).value)

// The decoder's drawing comes when it is ready, and not with a frame.
const listen = (state, space) => {
  if (heard.has(space)) return
  heard.add(space)
  space.properties.manifold_model.change.connect(() => write_latent_space(state))
}

// The axes that a viewer chose stay as long as there are such quantities.
const offer = (space) => {
  const names = as_map(space.names)
  for (const [i, id] of SELECTS.entries()) {
    const select = element(id)
    const offered = [...select.options].map((option) => option.value)
    if (offered.join("\n") == [...names.keys()].join("\n")) continue
    const before = select.value
    select.replaceChildren(...[...names].map(([name, text]) => new Option(text, name)))
    select.value = [before, linked_axes[i]].find((name) => names.has(name)) ?? space.axes[i]
    select.disabled = false
  }
}

// Zoom and pan stay until the plane is another one.
const show_all_if_new = (space, axes, ends) => {
  const now = JSON.stringify([space.id, axes, ends])
  if (now != shown) show_all(space, axes, ends)
  shown = now
}

const show_all = ({plot, names, axis_lines}, axes, ends) => {
  for (const [i, range] of [plot.x_range, plot.y_range].entries()) {
    const [start, end] = ends[i]
    set_quietly(range, {start, end, min_interval: (end - start) / 50,
                        max_interval: (end - start) * 2})
    set_quietly(axis_lines[i], {axis_label: as_map(names).get(axes[i])})
  }
}

const fill = ({atoms, points, density}, axes, ends) => {
  const [x, y] = axes.map((name) => atoms.get_column(name))
  const wanted = [density, x, y, ...ends.flat()]
  if (wanted.every((each, i) => each === counted[i])) return
  counted = wanted
  set_quietly(points, {data: {x, y}})
  const [image] = density.get_column("image")
  count(image, [x, y], ends)
  const [[left, right], [bottom, top]] = ends
  const data = {image: [image], x: [left], y: [bottom],
                dw: [right - left], dh: [top - bottom]}
  // The image is the same one, and yet has changed.
  density.setv({data}, {sync: false, check_eq: false})
}

// By the logarithm of the number of atoms: a few are seen beside very many.
const count = (image, [xs, ys], [[left, right], [bottom, top]]) => {
  const [rows, columns] = image.shape
  const counts = new Uint32Array(image.length)
  for (let i = 0; i < xs.length; i++) {
    const column = Math.floor((xs[i] - left) / (right - left) * columns)
    const row = Math.floor((ys[i] - bottom) / (top - bottom) * rows)
    if (column >= 0 && column < columns && row >= 0 && row < rows)
      counts[row * columns + column] += 1
  }
  const most = Math.log1p(counts.reduce((a, b) => Math.max(a, b), 1))
  for (let i = 0; i < counts.length; i++)
    image[i] = Math.round(255 * Math.log1p(counts[i]) / most)
}

const write_manifold = (space, axes) => {
  const {manifold_axes, no_manifold} = space
  const drawn = manifold_axes.length > 0
  const fits = drawn && manifold_axes.every((name, i) => name == axes[i])
  const button = element("manifold")
  button.disabled = !fits
  button.title = fits ? "What the decoder draws at these latents"
    : drawn ? `The decoder draws ${manifold_axes[0]} against ${manifold_axes[1]}`
    : `No decoder's drawing: ${no_manifold}`
  const on = fits && button.getAttribute("aria-pressed") == "true"
  for (const renderer of space.plot.renderers)
    if (renderer.data_source == space.manifold) set_quietly(renderer, {visible: on})
}

export const watch_latent_space = (state, link, then) => {
  linked_axes = (link.get("plane") ?? "").split(",")
  const rewrite = () => {
    write_latent_space(state)
    then()
  }
  for (const id of SELECTS) element(id).onchange = rewrite
  const button = element("manifold")
  button.onclick = () => {
    const on = button.getAttribute("aria-pressed") != "true"
    button.setAttribute("aria-pressed", String(on))
    rewrite()
  }
  document.addEventListener("latent-space-reset", () => {
    shown = null
    rewrite()
  })
  const linked = () => {
    const usual = state.latent_space?.axes ?? [], plane = chosen_axes().join(",")
    return usual.length == 0 || plane == usual.join(",") ? {} : {plane}
  }
  return {linked}
}
