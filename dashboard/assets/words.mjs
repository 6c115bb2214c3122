// Writes what the server says into the page.

export const element = (id) => document.getElementById(id)

// Bokeh hands over a dict as an object or as a Map.
export const entries = (dict) => dict instanceof Map ? [...dict] : Object.entries(dict)

export const say = (id, text, tone) => {
  // Untouched text is not laid out again.
  if (element(id).textContent != text) element(id).textContent = text
  if (tone) element(id).dataset.tone = tone
}

// Has a list offer pairs of value and text; one that does so is left alone.
export const offer = (select, pairs) => {
  const offered = [...select.options].map(({value, text}) => [value, text])
  if (`${offered}` != `${pairs}`)
    select.replaceChildren(...pairs.map(([value, text]) => new Option(text, value)))
}

export const write_words = (state) => {
  for (const [id, text] of entries(state.texts)) say(id, text)
  for (const [id, tone] of entries(state.tones)) element(id).dataset.tone = tone
  element("scan").style.setProperty("--share", state.scanned ?? 0)
  element("latency-bar").style.setProperty("--share", Math.min(state.latency_share, 1))
}

// Nothing that the server says holds any longer when it is gone.
export const write_gone = () => {
  say("mode", "OFFLINE", "bad")
  say("link", "this page is not connected", "bad")
  say("recording", "unknown: this page is not connected", "bad")
  for (const id of ["disk", "backlog"]) say(id, "")
}

// Counted here, so that it goes on when nothing arrives from anywhere.
export const write_age = (state, arrived_ms) => {
  const awaited = state.quiet_s != null
  const quiet_s = awaited ? state.quiet_s + (performance.now() - arrived_ms) / 1000 : 0
  const stale = awaited && quiet_s > state.stale_after_s
  // What waited for its analysis is old when it comes, and comes all the same.
  const seconds = (length) => `${length.toFixed(0)} s`
  say("age", !awaited ? "–" : stale ? `no data for ${seconds(quiet_s)}`
      : `${seconds(quiet_s + state.waited_s)} ago`, stale ? "bad" : "calm")
  document.body.classList.toggle("stale", stale)
}
