// The stages of an analysis, one after the other in a bar that is as long as a round
// time: of the time that a frame takes, they are a hundredth and would not be seen.

import {element} from "./words.mjs"

const SCALES_S = [0.1, 0.3, 1, 3, 10]

// Bokeh hands over a dict as an object or as a Map.
const entries = (dict) => dict instanceof Map ? [...dict] : Object.entries(dict)

const percent = (share) => `${(100 * share).toPrecision(2)} %`

export const write_stages = (state) => {
  const stages = entries(state.stages).filter(([, ms]) => ms > 0 && Number.isFinite(ms))
  const total_s = stages.reduce((sum, [, ms]) => sum + ms / 1000, 0)
  const scale_s = SCALES_S.find((scale_s) => total_s <= scale_s && scale_s < state.budget_s)
    ?? Math.max(state.budget_s, total_s)
  const bar = element("stage-bar")
  bar.replaceChildren(...stages.map(([name, ms]) => {
    const part = document.createElement("i")
    part.style.width = `${ms / 10 / scale_s}%`
    part.title = `${name}: ${ms.toPrecision(3)} ms, ${percent(ms / 1000 / state.budget_s)}`
      + ` of the ${state.budget_s} s that a frame takes`
    return part
  }))
  bar.ariaLabel = stages.map(([name, ms]) => `${name} ${ms.toPrecision(3)} ms`).join(", ")
  element("stage-scale").textContent = stages.length ? `bar: ${scale_s} s` : ""
}
