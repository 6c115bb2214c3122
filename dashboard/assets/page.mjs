// Writes the server's words into the page, and tells the server what the viewer wants.

const HOLD_AT_MOST_MS = 2000

const element = (id) => document.getElementById(id)

// Bokeh hands over a dict as an object or as a Map.
const entries = (dict) => dict instanceof Map ? [...dict] : Object.entries(dict)

export default ({state}) => {
  let wishes = 0
  let arrived_ms = performance.now()

  const wish = (verb, object = 0) => {
    wishes += 1
    state.wish = {verb, object, number: wishes}
  }

  const write = () => {
    for (const [id, text] of entries(state.texts)) {
      // Untouched text is not laid out again.
      if (element(id).textContent != text) element(id).textContent = text
    }
    for (const [id, tone] of entries(state.tones)) element(id).dataset.tone = tone
    element("latency-bar").style.setProperty("--share", Math.min(state.latency_share, 1))
    write_controls()
    write_age()
  }

  const write_controls = () => {
    element("pause").disabled = !state.following || state.channels.length == 0
    element("live").disabled = state.following
    const seek = element("seek")
    seek.min = state.first
    seek.max = state.last
    seek.disabled = state.first == state.last
    // A thumb that is being dragged belongs to the viewer.
    if (!seek.matches(":active")) seek.value = state.shown
    const select = element("channel")
    const offered = [...select.options].map((option) => option.value)
    if (offered.join("\n") != state.channels.join("\n"))
      select.replaceChildren(...state.channels.map((name) => new Option(name)))
    select.value = state.channel
    select.hidden = state.channels.length < 2
  }

  // Counted here, so that it goes on when nothing arrives from anywhere.
  const write_age = () => {
    const awaited = state.age_s != null
    const age_s = awaited ? state.age_s + (performance.now() - arrived_ms) / 1000 : 0
    const stale = awaited && age_s > state.stale_after_s
    const age = element("age")
    age.textContent = !awaited ? "–" : stale ? `no data for ${age_s.toFixed(0)} s` : `${age_s.toFixed(0)} s ago`
    age.dataset.tone = stale ? "bad" : "calm"
    document.body.classList.toggle("stale", stale)
  }

  // Two frames on, what was sent before `sent` is on the screen.
  const when_painted = (then) =>
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(then)))

  // What one update changes is painted at once: half of it is never seen, and a map
  // of ten thousand atoms is not painted twice.
  let patience = 0
  const hold = (held) => {
    clearTimeout(patience)
    if (held) patience = setTimeout(() => hold(false), HOLD_AT_MOST_MS)
    for (const plot of state.plots) plot.setv({hold_render: held}, {sync: false})
  }

  const updated = () => {
    const {sent} = state
    arrived_ms = performance.now()
    write()
    hold(false)
    when_painted(() => { state.painted = sent })
  }

  element("pause").onclick = () => wish("pause")
  element("live").onclick = () => wish("live")
  element("seek").oninput = (event) => wish("seek", event.target.valueAsNumber)
  element("channel").onchange = (event) => wish("channel", event.target.value)
  for (const id of ["atoms", "fold"])
    element(id).onchange = (event) => wish(id, Number(event.target.checked))

  // Nothing that the server says holds any longer when it is gone.
  const gone = () => {
    for (const [id, text] of [["mode", "OFFLINE"], ["link", "this page is not connected"]]) {
      element(id).textContent = text
      element(id).dataset.tone = "bad"
    }
  }
  state.document.on_event("connection_lost", gone)
  state.document.on_event("client_reconnected", write)

  state.properties.sending.change.connect(() => hold(true))
  state.properties.sent.change.connect(updated)
  setInterval(write_age, 1000)
  updated()
}
