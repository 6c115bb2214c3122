// Dark and light. The server draws dark; here each colour of a figure that has another
// in the light theme is replaced by it, and back. What the browser changes stays in the
// browser.

import {entries} from "./words.mjs"

const root = document.documentElement

const replaced = (value, colours) => {
  if (Array.isArray(value)) {
    const known = value.length > 0 && value.every((each) => colours.has(each))
    return known ? value.map((each) => colours.get(each)) : undefined
  }
  if (typeof value == "string") return colours.get(value)
  const field = value != null && Object.getPrototypeOf(value) == Object.prototype
  const other = field ? colours.get(value.value) : undefined
  return other == null ? undefined : {...value, value: other}
}

const paint = (model, colours) => {
  const changed = {}
  for (const [name, value] of Object.entries(model.attributes)) {
    const other = replaced(value, colours)
    if (other !== undefined) changed[name] = other
  }
  if (Object.keys(changed).length > 0) model.setv(changed, {sync: false})
}

const hold = (plots, held) => {
  for (const plot of plots) plot.setv({hold_render: held}, {sync: false})
}

export const start_theme = (state) => {
  const light = new Map(entries(state.light))
  const dark = new Map([...light].map(([from, to]) => [to, from]))
  // Figures that have come since are still dark.
  let made_light = new WeakSet()

  const models = () => [...state.document.all_models].filter((model) => model !== state)

  const make_light = () => {
    if (root.dataset.theme != "light") return
    for (const model of models()) {
      if (made_light.has(model)) continue
      made_light.add(model)
      paint(model, light)
    }
  }

  const make_dark = () => {
    made_light = new WeakSet()
    for (const model of models()) paint(model, dark)
  }

  const toggle = () => {
    const is_light = root.dataset.theme == "light"
    root.dataset.theme = is_light ? "dark" : "light"
    localStorage.setItem("theme", root.dataset.theme)
    hold(state.plots, true)
    is_light ? make_dark() : make_light()
    hold(state.plots, false)
  }

  document.getElementById("theme").onclick = toggle
  return make_light
}
