// Buttons, slider and choices: how they look, and what the viewer wants of them.

import {copy_link} from "./link.mjs"
import {element} from "./words.mjs"

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
  offer(select, state.channels)
  select.value = state.channel
  select.hidden = state.channels.length < 2
  for (const id of ["compare", "copy-link"])
    element(id).disabled = state.channels.length == 0
  element("compare").ariaPressed = state.comparing
}

const offer = (select, names) => {
  const offered = [...select.options].map((option) => option.value)
  if (offered.join("\n") != names.join("\n"))
    select.replaceChildren(...names.map((name) => new Option(name)))
}

export const watch_controls = (state, wish) => {
  for (const id of ["pause", "live", "compare"]) element(id).onclick = () => wish(id)
  element("copy-link").onclick = () => copy_link(state)
  const seek = element("seek")
  seek.oninput = () => wish("seek", seek.valueAsNumber)
  element("channel").onchange = (event) => wish("channel", event.target.value)
  for (const id of ["atoms", "fold"])
    element(id).onchange = (event) => wish(id, Number(event.target.checked))
}
