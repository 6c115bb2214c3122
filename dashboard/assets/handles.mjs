// What of the figures is changed here; there is none of it before the first frame.

import {entries} from "./words.mjs"

export const handle = (state, name) => new Map(entries(state.handles)).get(name) ?? null
