// When the server has gone, Bokeh tries for a while to go on with the same session. One
// that was started anew knows nothing of it: then the page is opened again, at the frame
// and the part of it that the address bar has.

const LOOK_MS = 2000
const PATIENCE_MS = 6000

export const start_reconnecting = (state) => {
  let watching = 0
  const look = async (since_ms) => {
    try {
      // Whatever the answer is, somebody gives it.
      await fetch(new URL("assets/icon.svg", document.baseURI), {cache: "no-store"})
    } catch {
      return performance.now()
    }
    if (performance.now() - since_ms > PATIENCE_MS) location.reload()
    return since_ms
  }
  const watch = () => {
    if (watching) return
    let since_ms = performance.now()
    watching = setInterval(async () => { since_ms = await look(since_ms) }, LOOK_MS)
  }
  const stop = () => {
    clearInterval(watching)
    watching = 0
  }
  state.document.on_event("connection_lost", watch)
  state.document.on_event("client_reconnected", stop)
}
