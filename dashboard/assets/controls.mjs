// Buttons, slider and choices: how they look, and what the viewer wants of them.

import {on_choice, show_choice} from "./choice.mjs"
import {handle} from "./handles.mjs"
import {copy_link} from "./link.mjs"
import {element, entries, offer} from "./words.mjs"

export const write_controls = (state) => {
  element("pause").disabled = !state.following || state.channels.length == 0
  element("live").disabled = state.following || state.channels.length == 0
  const seek = element("seek")
  seek.min = state.first
  seek.max = state.last
  seek.disabled = state.first == state.last
  // A thumb that is being dragged belongs to the viewer.
  if (!seek.matches(":active")) seek.value = state.shown
  const select = element("channel")
  offer(select, state.channels.map((name) => [name, name]))
  show_choice(select, state.channel)
  select.hidden = state.channels.length < 2
  write_runs(state)
  for (const id of ["compare", "copy-link"])
    element(id).disabled = state.channels.length == 0
  element("compare").ariaPressed = state.comparing
}

const write_runs = (state) => {
  const select = element("run"), runs = entries(state.runs)
  offer(select, runs)
  show_choice(select, state.run)
  select.hidden = runs.length < 2
}

export const watch_controls = (state, wish) => {
  for (const id of ["pause", "live", "compare"]) element(id).onclick = () => wish(id)
  element("copy-link").onclick = () => copy_link(state)
  const seek = element("seek")
  seek.oninput = () => wish("seek", seek.valueAsNumber)
  for (const id of ["channel", "run"])
    on_choice(element(id), (value) => wish(id, value))
  element("atoms").onchange = ({target: {checked}}) => {
    // At once; the server is told so that the next frame, or a link, has it too.
    handle(state, "dots")?.setv({visible: checked}, {sync: false})
    wish("atoms", Number(checked))
  }
  element("fold").onchange = ({target: {checked}}) => wish("fold", Number(checked))
}
