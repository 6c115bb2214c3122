// The atoms that a viewer picks out by a region of the sample or of latent space: lit
// up in every figure, counted, and found again in each new frame.

import {chosen_axes} from "./latent_space.mjs"
import {in_words, inside, region_in, region_of} from "./region.mjs"
import {element, say} from "./words.mjs"

const SAMPLE = ["x", "y"]
const TOOLS = {pan: "PanTool", lasso: "LassoSelectTool", box: "BoxSelectTool"}

let region = null
let mode = "pan"

export const selected_region = () => region

// Only here: the server need not know, and does not.
const set_quietly = (model, values) => model.setv(values, {sync: false})

export const write_selection = (state) => {
  const space = state.latent_space
  if (space == null) return
  activate(state, mode)
  const {atoms, points} = space
  // A region outlives its frame, not the quantities that it is drawn over.
  if (region?.axes.some((name) => atoms.get_column(name) == null)) region = null
  const columns = region?.axes.map((name) => atoms.get_column(name))
  const indices = region == null ? [] : inside(region, ...columns)
  const none = region != null && indices.length == 0
  for (const plot of state.plots)
    for (const renderer of plot.renderers)
      if (renderer.data_source == atoms || renderer.data_source == points)
        // To Bokeh, nothing selected is all selected.
        set_quietly(renderer, {muted: none})
  for (const source of [atoms, points]) set_quietly(source.selected, {indices})
  outline(space.sample_outline, drawn_over(SAMPLE) ? region : null)
  outline(space.outline, drawn_over(chosen_axes()) ? region : null)
  write_numbers(state, indices)
}

const drawn_over = (axes) => region?.axes.every((name, i) => name == axes[i])

const outline = (source, corners) =>
  set_quietly(source, {data: {x: corners?.x ?? [], y: corners?.y ?? []}})

const write_numbers = (state, indices) => {
  const {atoms, names} = state.latent_space
  const drawn = atoms.get_column("x").length
  const all = drawn == state.found ? `${drawn.toLocaleString("en")} atoms`
    : `${drawn.toLocaleString("en")} drawn atoms of ${state.found.toLocaleString("en")}`
  const count = indices.length.toLocaleString("en")
  say("selected", region == null ? all : `${count} of ${all}`)
  const latents = [...(names instanceof Map ? names.keys() : Object.keys(names))]
    .filter((name) => name != "angle_deg")
  const means = latents.map((name) =>
    `${name} ${mean(atoms.get_column(name), region == null ? null : indices)}`)
  const text = means.length ? `mean ${means.join(", ")}` : ""
  say("selected-means", text)
  element("selected-means").title =
    `${text}: also of atoms at the frame's edge, which the plots over time leave out`
  element("clear-selection").disabled = region == null
}

const mean = (column, indices) => {
  let [sum, count] = [0, 0]
  const add = (value) => { if (Number.isFinite(value)) { sum += value; count += 1 } }
  if (indices == null) for (const value of column) add(value)
  else for (const i of indices) add(column[i])
  if (count == 0) return "–"
  return (Math.round(100 * sum / count) / 100 + 0).toFixed(2).replace("-", "−")
}

const activate = (state, wanted) => {
  for (const plot of state.plots)
    for (const tool of plot.toolbar.tools)
      if (tool.type == TOOLS[wanted]) tool.active = true
}

const use = (state, wanted) => {
  mode = wanted
  for (const id of ["lasso", "box"])
    element(id).setAttribute("aria-pressed", String(id == mode))
  activate(state, mode)
}

const clear = (state) => {
  region = null
  write_selection(state)
}

// Whether there was something to leave: a tool that draws, or a region.
export const leave_selection = (state) => {
  if (mode == "pan" && region == null) return false
  use(state, "pan")
  clear(state)
  return true
}

export const watch_selection = (state, link) => {
  region = region_in(link)
  for (const id of ["lasso", "box"])
    element(id).onclick = () => use(state, mode == id ? "pan" : id)
  element("clear-selection").onclick = () => clear(state)
  document.addEventListener("region-drawn", ({detail: {space, geometry, final}}) => {
    if (!final) return
    region = region_of(space == "sample" ? SAMPLE : chosen_axes(), geometry)
    write_selection(state)
  })
  lend_the_lasso(state)
  return {linked: () => region == null ? {} : {region: in_words(region)}}
}

// With Shift held, dragging draws, whatever it does else.
const lend_the_lasso = (state) => {
  document.addEventListener("pointerdown", ({shiftKey}) => {
    if (!shiftKey || mode != "pan") return
    activate(state, "lasso")
    // Bokeh hears first that the pointer is up.
    const back = () => setTimeout(() => activate(state, mode))
    document.addEventListener("pointerup", back, {once: true})
  }, {capture: true})
}
