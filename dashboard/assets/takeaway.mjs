// Files of atoms: asked for here, made by the server, saved by the browser.

import {selected_region} from "./selection.mjs"
import {element, entries, say} from "./words.mjs"

export const write_takeaway = (state) => {
  for (const id of ["take-csv", "take-parquet"])
    element(id).disabled = state.latent_space == null
}

export const watch_takeaway = (state, wish) => {
  const ask = (format) => {
    say("refusal", "")
    const region = selected_region()
    const {run} = Object.fromEntries(entries(state.link))
    wish("take", JSON.stringify({format, frame: state.shown, run, region}))
  }
  element("take-csv").onclick = () => ask("csv")
  element("take-parquet").onclick = () => ask("parquet")
  state.properties.file.change.connect(() => save(state.file_name, state.file))
  state.properties.refusal.change.connect(() => say("refusal", state.refusal, "warn"))
}

const save = (name, content) => {
  if (content == null) return
  const link = document.createElement("a")
  link.href = URL.createObjectURL(new Blob([content]))
  link.download = name
  link.click()
  // The browser has taken hold of it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
