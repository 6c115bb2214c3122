// A short tone for each new alert, if the viewer wants that; once, however long it lasts.

import {element} from "./words.mjs"

const WANTED = "atomstream sound"
const TONE_S = 0.35
const PITCH_HZ = {warn: 660, bad: 880}

let context = null
let heard = null

// Browsers let nothing be heard before the viewer has clicked or pressed a key.
const open = () => {
  context ??= new AudioContext()
  return context.state == "running" ? Promise.resolve() : context.resume()
}

const play = (tone) => open().then(() => {
  const source = context.createOscillator()
  const volume = context.createGain()
  const now_s = context.currentTime
  source.frequency.value = PITCH_HZ[tone] ?? PITCH_HZ.bad
  volume.gain.setValueAtTime(0.0001, now_s)
  volume.gain.exponentialRampToValueAtTime(0.3, now_s + 0.02)
  volume.gain.exponentialRampToValueAtTime(0.0001, now_s + TONE_S)
  source.connect(volume).connect(context.destination)
  source.start(now_s)
  source.stop(now_s + TONE_S)
})

// What stood when the page was opened is no news to whoever opened it.
export const sound_for = (alerts) => {
  const fresh = heard && alerts.filter(({id}) => !heard.has(id))
  heard = new Set(alerts.map(({id}) => id))
  if (fresh?.length && element("sound").checked)
    play(fresh.some(({tone}) => tone == "bad") ? "bad" : "warn")
}

export const watch_sound = () => {
  const wanted = element("sound")
  wanted.checked = localStorage.getItem(WANTED) == "on"
  wanted.onchange = () => {
    localStorage.setItem(WANTED, wanted.checked ? "on" : "off")
    if (wanted.checked) play("warn")
  }
  const allow = () => { if (wanted.checked) open() }
  addEventListener("pointerdown", allow, {once: true})
  addEventListener("keydown", allow, {once: true})
}
