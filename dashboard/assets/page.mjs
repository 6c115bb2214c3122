// The browser's part of a page: mirrors the state that the server sends, and tells the
// server what the viewer wants.

import {watch_controls, write_controls} from "./controls.mjs"
import {watch_notes} from "./notes.mjs"
import {paint_at_once} from "./painting.mjs"
import {watch_timeline} from "./timeline.mjs"
import {write_age, write_gone, write_words} from "./words.mjs"

export const start = (state) => {
  let wishes = 0
  let arrived_ms = performance.now()

  const wish = (verb, object = 0, more = {}) => {
    wishes += 1
    state.wish = {...more, verb, object, number: wishes}
  }
  const write_timeline = watch_timeline(state.timeline, wish)
  const write_notes = watch_notes(state, wish)

  const write = () => {
    write_words(state)
    write_controls(state)
    write_timeline()
    write_notes()
    write_age(state, arrived_ms)
  }

  watch_controls(wish)
  state.document.on_event("connection_lost", write_gone)
  state.document.on_event("client_reconnected", write)
  setInterval(() => write_age(state, arrived_ms), 1000)
  paint_at_once(state, () => {
    arrived_ms = performance.now()
    write()
  })
}
