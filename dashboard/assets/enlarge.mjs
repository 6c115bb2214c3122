// One panel over the whole main area, and back.

import {element} from "./words.mjs"

const panels = () => document.querySelector(".panels")

export const enlarged = () => document.querySelector("[data-panel].enlarged")

export const enlarge = (panel) => {
  const before = enlarged()
  before?.classList.remove("enlarged")
  if (panel !== before) panel?.classList.add("enlarged")
  panels().classList.toggle("enlarging", enlarged() != null)
  for (const button of document.querySelectorAll(".enlarge"))
    button.setAttribute("aria-pressed", button.closest(".enlarged") != null)
}

// What the pointer is on, else the frame.
export const enlarge_pointed = () =>
  enlarge(enlarged() ?? document.querySelector("[data-panel]:hover") ?? element("frame-panel"))

export const enlarge_by_title = (title) => {
  title.ondblclick = (event) => {
    if (!event.target.closest("button, label, select, input, a"))
      enlarge(title.closest("[data-panel]"))
  }
}
