// Lists of choices, which stay on what the viewer chose while the server takes it.

const PATIENCE_MS = 10000
const outstanding = new WeakMap()

export const on_choice = (select, act) => {
  select.onchange = () => {
    const made = {value: select.value, at: performance.now()}
    outstanding.set(select, [...outstanding.get(select) ?? [], made])
    act(select.value)
  }
}

export const show_choice = (select, value) => {
  const now = performance.now()
  const left = (outstanding.get(select) ?? []).filter(({at}) => now - at < PATIENCE_MS)
  // What the server says now may be older than what was chosen since.
  if (left.at(0)?.value == value) left.shift()
  outstanding.set(select, left)
  if (left.length == 0) select.value = value
}
