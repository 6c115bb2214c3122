// The alerts that stand, over everything; each viewer may close those that are known.

import {sound_for} from "./sound.mjs"
import {element} from "./words.mjs"

const CLOSED = "atomstream closed alerts"

// Remembered as long as the tab is open: a page that is loaded again is no news.
const closed = new Set(JSON.parse(sessionStorage.getItem(CLOSED) ?? "[]"))

const remember = () =>
  sessionStorage.setItem(CLOSED, JSON.stringify([...closed]))

// Bokeh hands over a dict as an object or as a Map.
const plain = (alert) => alert instanceof Map ? Object.fromEntries(alert) : alert

let standing = []

export const write_alerts = (state) => {
  standing = state.alerts.map(plain)
  const ids = new Set(standing.map(({id}) => id))
  for (const id of [...closed]) if (!ids.has(id)) closed.delete(id)
  remember()
  write()
  sound_for(standing)
}

const write = () => {
  const open = standing.filter(({id}) => !closed.has(id))
  const list = element("alerts")
  for (const line of [...list.children])
    if (!open.some(({id}) => id == line.dataset.id)) line.remove()
  // What stands there already stays: it is not read out again, and keeps its focus.
  open.forEach((alert, place) => {
    const known = [...list.children].find(({dataset}) => dataset.id == alert.id)
    const line = known ?? new_line(alert.id)
    line.dataset.tone = alert.tone
    const words = line.firstChild
    if (words.textContent != alert.words) words.textContent = alert.words
    if (list.children[place] != line) list.insertBefore(line, list.children[place])
  })
  write_count(open.length)
}

const new_line = (id) => {
  const line = document.createElement("li")
  const close = document.createElement("button")
  line.dataset.id = id
  close.textContent = "×"
  close.title = "Close until it comes anew"
  close.ariaLabel = "Close this alert"
  close.onclick = () => { closed.add(id); remember(); write() }
  line.append(document.createElement("span"), close)
  return line
}

const write_count = (open) => {
  const count = element("alert-count")
  const hidden = standing.length - open
  count.textContent = standing.length == 0 ? "No alerts"
    : `${standing.length} alert${standing.length == 1 ? "" : "s"}`
      + (hidden > 0 ? `, ${hidden} closed` : "")
  count.disabled = hidden == 0
  const is_bad = standing.some(({tone}) => tone == "bad")
  count.dataset.tone = standing.length == 0 ? "calm" : is_bad ? "bad" : "warn"
}

export const watch_alerts = () => {
  element("alert-count").onclick = () => { closed.clear(); remember(); write() }
}
