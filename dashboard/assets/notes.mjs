// What viewers write about frames: a field to write in, and the list of all.

import {element, entries, say} from "./words.mjs"

// Of a Map or an object: Bokeh hands over a dict as either.
const fields = (note) => note instanceof Map ? Object.fromEntries(note) : note

const line = (wish, {seq, when, text}) => {
  const go = document.createElement("button")
  go.textContent = `frame ${seq.toLocaleString("en")}`
  go.title = "Show this frame"
  go.onclick = () => wish("seek", seq)
  const moment = document.createElement("time")
  moment.dateTime = new Date(when).toISOString()
  moment.textContent = new Date(when).toLocaleString(
    undefined, {month: "short", day: "numeric", hour: "2-digit", minute: "2-digit"})
  const said = document.createElement("span")
  said.textContent = text
  const item = document.createElement("li")
  item.append(go, " ", moment, " ", said)
  return item
}

export const watch_notes = (state, wish) => {
  const {timeline} = state
  const [panel, field, list] = ["notes", "note", "note-list"].map(element)
  let about = 0
  let run = ""
  let listed = null

  const open = (shown) => {
    panel.hidden = !shown
    if (shown) field.focus()
  }
  const write = () => {
    if (field.value.trim()) wish("note", field.value, {seq: about, run})
    field.value = ""
    choose()
  }
  // A note belongs to the frame that was shown when its first letter was written.
  const choose = () => {
    if (!field.value) {
      about = state.shown
      run = Object.fromEntries(entries(state.link)).run ?? ""
    }
    say("note-about", `Note at frame ${about.toLocaleString("en")}`)
  }

  element("open-notes").onclick = () => open(panel.hidden)
  element("close-notes").onclick = () => open(false)
  element("write-note").onclick = write
  field.oninput = choose
  field.onkeydown = ({key, isComposing}) => { if (key == "Enter" && !isComposing) write() }
  return () => {
    choose()
    const count = timeline.notes.length
    say("open-notes", count ? `Notes (${count})` : "Notes")
    element("open-notes").disabled = state.channels.length == 0
    say("notes-kept", timeline.notes_kept)
    if (listed === timeline.notes) return
    listed = timeline.notes
    list.replaceChildren(...[...listed].reverse().map((note) => line(wish, fields(note))))
  }
}
