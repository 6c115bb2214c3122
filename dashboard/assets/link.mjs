// The address of what is shown: in the address bar, so that a reload shows it again, and
// for others to open.

import {handle} from "./handles.mjs"
import {element, entries, say} from "./words.mjs"

const SETTLED_MS = 300
const SAID_MS = 2000

// A number that is short, and exact to a thousandth of what is seen.
export const short = (value, span) => {
  const digits = Math.max(0, Math.ceil(3 - Math.log10(span)))
  return String(Number(value.toFixed(Math.min(digits, 20))))
}

// The number that a link gives for `name`; NaN if it gives none.
export const number_in = (link, name) => {
  const said = link.get(name)
  return said ? Number(said) : NaN
}

// What the browser alone knows of the view: functions that say what links get of it.
let parts = []

const zoomed = (state) => {
  const x = handle(state, "map-x")
  const y = handle(state, "map-y")
  if (x == null || (x.start == x.reset_start && x.end == x.reset_end
                    && y.start == y.reset_start && y.end == y.reset_end)) return {}
  const w = x.end - x.start
  return {
    x: short((x.start + x.end) / 2, w),
    y: short((y.start + y.end) / 2, w),
    w: short(w, w),
  }
}

const address = (state, with_frame) => {
  const said = new URLSearchParams()
  for (const [name, value] of entries(state.link)) if (value) said.set(name, value)
  if (with_frame && state.channels.length) said.set("frame", state.shown)
  const own = [zoomed(state), ...parts.map((linked) => linked())]
  for (const part of own)
    for (const [name, value] of Object.entries(part)) said.set(name, value)
  const url = new URL(location.href)
  const theme = url.searchParams.get("theme")
  if (theme) said.set("theme", theme)
  url.search = said
  url.hash = ""
  return url.href
}

// Not while a link is still being followed, or nothing is there to be linked to.
const is_settled = (state) => state.channels.length > 0 && !state.seeking

export const keep_address = (state, known_here) => {
  parts = known_here
  let settling = 0
  const write = () => {
    settling = 0
    // One that follows does so after a reload too.
    const url = address(state, !state.following)
    if (is_settled(state) && url != location.href) history.replaceState(null, "", url)
  }
  // Not put off by each change: they may come without a pause.
  const soon = () => { settling ||= setTimeout(write, SETTLED_MS) }
  state.document.on_change(soon)
  for (const kind of ["change", "click", "pointerup"]) document.addEventListener(kind, soon)
  soon()
}

export const restore_choices = (state) => {
  for (const [verb, what] of entries(state.choices)) {
    const control = element(verb)
    if (control?.type == "checkbox") control.checked = Boolean(what)
    else if (control != null && "value" in control) control.value = what
  }
}

export const copy_link = async (state) => {
  const button = element("copy-link")
  const copied = await copy(address(state, true))
  say("copy-link", copied ? "Copied" : "Not copied")
  setTimeout(() => say("copy-link", "Copy link"), SAID_MS)
  button.focus()
}

const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copy_of_old(text)
  }
}

// Browsers have a clipboard for pages that came encrypted or from this computer only.
const copy_of_old = (text) => {
  const area = document.createElement("textarea")
  area.value = text
  document.body.append(area)
  area.select()
  const copied = document.execCommand("copy")
  area.remove()
  return copied
}
