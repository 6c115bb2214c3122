// All keys, as an overlay.

import {KEYS} from "./keys.mjs"
import {element} from "./words.mjs"

const CAPS = {
  " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc",
}

const cap = (key) => {
  const made = document.createElement("kbd")
  made.textContent = CAPS[key] ?? (key.length == 1 ? key.toUpperCase() : key)
  return made
}

const row = ([keys, does]) => {
  const term = document.createElement("dt"), words = document.createElement("dd")
  for (const key of keys[0].split(/(?<=\w)\+/))
    term.append(cap(key))
  words.textContent = does
  return [term, words]
}

const group = ([title, rows]) => {
  const made = document.createElement("section"), heading = document.createElement("h3")
  heading.textContent = title
  const list = document.createElement("dl")
  list.append(...rows.flatMap(row))
  made.append(heading, list)
  return made
}

export const start_help = () => {
  const overlay = element("keys")
  element("keys-list").append(...Object.entries(KEYS).map(group))
  element("help").onclick = () => overlay.showModal()
  // A click beside it is one on the dialog itself, which has no padding.
  overlay.onclick = (event) => { if (event.target === overlay) overlay.close() }
  overlay.onkeydown = (event) => { if (event.key == "?") overlay.close() }
}
