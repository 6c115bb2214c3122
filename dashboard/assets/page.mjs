// The browser's part of a page: mirrors the state that the server sends, and tells the
// server what the viewer wants.

import {watch_controls, write_controls} from "./controls.mjs"
import {watch_latent_space, write_latent_space} from "./latent_space.mjs"
import {paint_at_once} from "./painting.mjs"
import {watch_selection, write_selection} from "./selection.mjs"
import {watch_takeaway, write_takeaway} from "./takeaway.mjs"
import {write_age, write_gone, write_words} from "./words.mjs"

export const start = (state) => {
  let wishes = 0
  let arrived_ms = performance.now()

  const wish = (verb, object = 0) => {
    wishes += 1
    state.wish = {verb, object, number: wishes}
  }

  const write = () => {
    write_words(state)
    write_controls(state)
    write_age(state, arrived_ms)
    write_latent_space(state)
    write_selection(state)
    write_takeaway(state)
  }

  watch_controls(wish)
  watch_latent_space(state, () => write_selection(state))
  watch_selection(state)
  watch_takeaway(state, wish)
  state.document.on_event("connection_lost", write_gone)
  state.document.on_event("client_reconnected", write)
  setInterval(() => write_age(state, arrived_ms), 1000)
  paint_at_once(state, () => {
    arrived_ms = performance.now()
    write()
  })
}
