// Which quantity the third map shows, and between which values its colours lie.

import {on_choice, show_choice} from "./choice.mjs"
import {handle} from "./handles.mjs"
import {element, entries, offer, say} from "./words.mjs"

const number = (value) => `${Number(value.toPrecision(3))}`.replace("-", "\u2212")

export const watch_mapped = (wish) => {
  on_choice(element("mapped"), (value) => wish("map", value))
}

export const write_mapped = (state) => {
  const select = element("mapped")
  const known = entries(state.mappable)
  offer(select, known)
  show_choice(select, state.mapped)
  select.hidden = known.length == 0
  const colours = handle(state, "order")
  say("mapped-ends", colours == null ? "" : `${number(colours.low)} to ${number(colours.high)}`)
}
