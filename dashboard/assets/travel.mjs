// From one frame to another, by buttons, slider and keys.

import {copy_link} from "./link.mjs"
import {element} from "./words.mjs"

// What a key can call too; each does nothing where it makes no sense.
export const travels = (state, wish) => ({
  back: () => wish("step", -1),
  forward: () => wish("step", 1),
  first: () => wish("first"),
  last: () => wish("last"),
  live: () => wish("live"),
  seek: (seq) => wish("seek", seq),
  compare: () => wish("compare"),
  copy_link: () => copy_link(state),
})

export const watch_travels = (to) => {
  element("live").onclick = to.live
  element("compare").onclick = to.compare
  element("copy-link").onclick = to.copy_link
  const seek = element("seek")
  seek.oninput = () => to.seek(seek.valueAsNumber)
}
