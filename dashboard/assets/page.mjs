// The browser's part of a page: mirrors the state that the server sends, and tells the
// server what the viewer wants.

import {watch_alerts, write_alerts} from "./alerts.mjs"
import {start_contrast} from "./contrast.mjs"
import {watch_controls, write_controls} from "./controls.mjs"
import {start_help} from "./help.mjs"
import {watch_keys} from "./keys.mjs"
import {watch_mapped, write_mapped} from "./mapped.mjs"
import {start_theme} from "./theme.mjs"
import {start_titles} from "./titles.mjs"
import {start_wheel} from "./wheel.mjs"
import {watch_latent_space, write_latent_space} from "./latent_space.mjs"
import {paint_at_once} from "./painting.mjs"
import {watch_selection, write_selection} from "./selection.mjs"
import {watch_takeaway, write_takeaway} from "./takeaway.mjs"
import {keep_address, restore_choices} from "./link.mjs"
import {watch_sound} from "./sound.mjs"
import {write_stages} from "./stages.mjs"
import {watch_notes} from "./notes.mjs"
import {watch_timeline} from "./timeline.mjs"
import {start_reconnecting} from "./reconnect.mjs"
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
    write_mapped(state)
    write_stages(state)
    write_alerts(state)
    write_timeline()
    write_notes()
    write_age(state, arrived_ms)
    write_latent_space(state)
    write_selection(state)
    write_takeaway(state)
  }

  restore_choices(state)
  watch_controls(state, wish)
  watch_mapped(wish)
  watch_keys({state, wish})
  start_titles(state)
  start_help()
  const link = new URLSearchParams(location.search)
  const contrast = start_contrast(state, link)
  const wheel = start_wheel(state, link)
  // What the browser changes by itself about figures, and must change about new ones.
  const dress = [start_theme(state), contrast.dress, wheel.dress]
  const plane = watch_latent_space(state, link, () => write_selection(state))
  const selection = watch_selection(state, link)
  watch_takeaway(state, wish)
  keep_address(state, [contrast, wheel, plane, selection].map(({linked}) => linked))
  watch_alerts()
  watch_sound()
  state.document.on_event("connection_lost", write_gone)
  start_reconnecting(state)
  state.document.on_event("client_reconnected", write)
  setInterval(() => write_age(state, arrived_ms), 1000)
  paint_at_once(state, () => {
    arrived_ms = performance.now()
    write()
    for (const each of dress) each()
  })
}
