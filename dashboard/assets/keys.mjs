// Every key of the page, in one table: what it is, what it does, and who does it. The
// help is made from it. Names are those of KeyboardEvent.key; letters are small ones.

import {enlarge, enlarge_pointed, enlarged} from "./enlarge.mjs"
import {leave_selection} from "./selection.mjs"
import {element} from "./words.mjs"
import {fit, pan, show_pixels, zoom} from "./zoom.mjs"

const STEP = 1.25
const NUDGE = 0.1

const press = (id) => () => element(id).click()

const back = ({state, wish}) => {
  if (!element("contrast-box").hidden) element("contrast").click()
  else if (!element("notes").hidden) element("close-notes").click()
  else if (enlarged() != null) enlarge(null)
  else if (!leave_selection(state) && !state.following) wish("live")
}

// Keys, what they do, and the deed.
export const KEYS = {
  "Frames": [
    [["ArrowLeft"], "the frame before", ({wish}) => wish("step", -1)],
    [["ArrowRight"], "the next frame", ({wish}) => wish("step", 1)],
    [["Home"], "first frame", ({wish}) => wish("first")],
    [["End"], "last frame", ({wish}) => wish("last")],
    [[" "], "pause, or back to live", ({state, wish}) => wish(state.following ? "pause" : "live")],
    [["d"], "what has changed since this frame, or the frame", press("compare")],
    [["l"], "back to live", ({wish}) => wish("live")],
    [["Escape"], "close, shrink, select nothing, back to live", back],
  ],
  "Maps": [
    [["0"], "the whole frame", ({state}) => fit(state)],
    [["1"], "1:1, a pixel of the frame is one of the screen", ({state}) => show_pixels(state, 1)],
    [["2"], "2:1, a pixel of the frame is two wide", ({state}) => show_pixels(state, 2)],
    [["+", "="], "closer", ({state}) => zoom(state, STEP)],
    [["-"], "farther", ({state}) => zoom(state, 1 / STEP)],
    [["Shift+ArrowLeft"], "to the left", ({state}) => pan(state, -NUDGE, 0)],
    [["Shift+ArrowRight"], "to the right", ({state}) => pan(state, NUDGE, 0)],
    [["Shift+ArrowUp"], "up", ({state}) => pan(state, 0, -NUDGE)],
    [["Shift+ArrowDown"], "down", ({state}) => pan(state, 0, NUDGE)],
  ],
  "Atoms": [
    [["s"], "draw around atoms with a lasso, or stop", press("lasso")],
    [["b"], "draw a box around atoms, or stop", press("box")],
  ],
  "Look": [
    [["a"], "atoms on the frame, or not", press("atoms")],
    [["f"], "fold the orientation, or not", press("fold")],
    [["w"], "the wheel of orientations, or not", press("wheel-shown")],
    [["c"], "contrast of the frame", press("contrast")],
    [["t"], "dark or light", press("theme")],
    [["m"], "enlarge the panel under the pointer, or back", enlarge_pointed],
    [["n"], "write a note about the frame, and read all", press("open-notes")],
    [["?"], "these keys", press("help")],
  ],
}

const DEEDS = new Map(Object.values(KEYS).flat().flatMap(([keys, , deed]) =>
  keys.map((key) => [key, deed])))

// Shift is part of what a character is, and comes on top of other keys.
const name_of = ({key, shiftKey}) =>
  key.length == 1 ? key.toLowerCase() : shiftKey ? `Shift+${key}` : key

// Where keys have a meaning of their own.
const takes = (target, key) => {
  if (target.closest("dialog, [popover]")) return true
  if (target.matches("select, textarea, input[type=number], input[type=text], [contenteditable]"))
    return key != "Escape"
  if (target.matches("input[type=range]")) return /^(Arrow|Home|End|Page)/.test(key)
  return target.matches("button, input, a, summary") && (key == " " || key == "Enter")
}

export const watch_keys = (page) => {
  document.addEventListener("keydown", (event) => {
    const deed = DEEDS.get(name_of(event))
    const chord = event.ctrlKey || event.metaKey || event.altKey
    if (deed == null || chord || event.isComposing || takes(event.target, event.key)) return
    event.preventDefault()
    deed(page)
  })
  // After a click, keys are for the page again; who goes by Tab stays where they are.
  let by_pointer = false
  document.addEventListener("pointerdown", () => { by_pointer = true }, {capture: true})
  document.addEventListener("keydown", () => { by_pointer = false }, {capture: true})
  for (const kind of ["click", "change"]) {
    document.addEventListener(kind, ({target}) => {
      if (by_pointer && target.matches?.("button, button *, select, input[type=checkbox], input[type=range]"))
        document.activeElement.blur()
    })
  }
}
