// The browser's part of a page: mirrors the state that the server sends, and tells the
// server what the viewer wants.

import {watch_alerts, write_alerts} from "./alerts.mjs"
import {watch_controls, write_controls} from "./controls.mjs"
import {paint_at_once} from "./painting.mjs"
import {watch_sound} from "./sound.mjs"
import {write_stages} from "./stages.mjs"
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
    write_stages(state)
    write_alerts(state)
    write_age(state, arrived_ms)
  }

  watch_controls(wish)
  watch_alerts()
  watch_sound()
  state.document.on_event("connection_lost", write_gone)
  state.document.on_event("client_reconnected", write)
  setInterval(() => write_age(state, arrived_ms), 1000)
  paint_at_once(state, () => {
    arrived_ms = performance.now()
    write()
  })
}
