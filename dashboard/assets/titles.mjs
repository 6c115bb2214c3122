// What every panel has in its title: save a picture, enlarge. A panel is whatever has
// `data-panel`; without a title its buttons are in its corner.

import {enlarge, enlarge_by_title} from "./enlarge.mjs"
import {watch_menu} from "./picture.mjs"

const SVG = "http://www.w3.org/2000/svg"

const ICONS = {
  save: "M8 2v8M4.5 7 8 10.5 11.5 7M3 13.5h10",
  enlarge: "M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9",
}

const icon = (name) => {
  const drawing = document.createElementNS(SVG, "svg")
  drawing.setAttribute("viewBox", "0 0 16 16")
  const path = document.createElementNS(SVG, "path")
  path.setAttribute("d", ICONS[name])
  drawing.append(path)
  return drawing
}

const button = (name, title) => {
  const made = document.createElement("button")
  made.className = `icon ${name}`
  made.title = title
  made.setAttribute("aria-label", title)
  made.append(icon(name))
  return made
}

const tools_of = (panel) => {
  const found = panel.querySelector(".tools")
  if (found != null) return found
  const made = document.createElement("span")
  made.className = "tools"
  const title = panel.querySelector("h2")
  made.classList.toggle("corner", title == null)
  ;(title ?? panel).append(made)
  return made
}

export const start_titles = (state) => {
  const menu = watch_menu(state)
  for (const panel of document.querySelectorAll("[data-panel]")) {
    const save = button("save", "Save a picture of this panel")
    save.popoverTargetElement = menu.element
    save.addEventListener("click", () => menu.open_for(panel, save))
    const larger = button("enlarge", "Enlarge this panel, or back (M)")
    larger.onclick = () => enlarge(panel)
    tools_of(panel).append(save, larger)
    const title = panel.querySelector("h2")
    if (title != null) enlarge_by_title(title)
  }
}
