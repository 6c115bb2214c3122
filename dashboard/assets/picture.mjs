// PNG and SVG of a panel: Bokeh's own export of each figure, put where it is on the page.

import {element} from "./words.mjs"

const SVG = "http://www.w3.org/2000/svg"

const figures = (view) =>
  view.canvas_view ? [view] : [...view.child_views ?? []].flatMap(figures)

const figures_in = (panel) =>
  Object.values(Bokeh.index).filter((root) => panel.contains(root.el)).flatMap(figures)

// Drawings of the page itself, such as the wheel, that belong to the picture.
const insets_in = (panel) =>
  [...panel.querySelectorAll("svg[data-in-picture]")].filter((each) => each.checkVisibility())

// Where things are, relative to the smallest box that holds them.
const layout = (panel) => {
  const views = figures_in(panel)
  const boxes = views.map((view) => view.el.getBoundingClientRect())
  const left = Math.min(...boxes.map((box) => box.left))
  const top = Math.min(...boxes.map((box) => box.top))
  const place = ({x, y, width, height}) => ({x: x - left, y: y - top, width, height})
  return {
    width: Math.max(...boxes.map((box) => box.right)) - left,
    height: Math.max(...boxes.map((box) => box.bottom)) - top,
    figures: views.map((view, i) => [view, place(boxes[i])]),
    insets: insets_in(panel).map((each) => [each, place(each.getBoundingClientRect())]),
    behind: getComputedStyle(panel).backgroundColor,
  }
}

const at = (drawing, {x, y, width, height}) => {
  for (const [name, value] of Object.entries({x, y, width, height}))
    drawing.setAttribute(name, value)
  return drawing
}

const new_svg = (width, height) => {
  const drawing = document.createElementNS(SVG, "svg")
  drawing.setAttribute("xmlns", SVG)
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`)
  return at(drawing, {x: 0, y: 0, width, height})
}

const text_of = (drawing) => new XMLSerializer().serializeToString(drawing)

const as_svg = ({width, height, figures, insets, behind}) => {
  const whole = new_svg(width, height)
  const back = at(document.createElementNS(SVG, "rect"), {x: 0, y: 0, width, height})
  back.setAttribute("fill", behind)
  whole.append(back)
  for (const [view, box] of figures) {
    const text = view.export("svg").ctx.get_serialized_svg(true)
    const drawing = new DOMParser().parseFromString(text, "image/svg+xml").documentElement
    whole.append(at(document.importNode(drawing, true), box))
  }
  for (const [drawing, box] of insets) whole.append(at(drawing.cloneNode(true), box))
  return new Blob([text_of(whole)], {type: "image/svg+xml"})
}

const image_of = async (drawing, {width, height}) => {
  const copy = at(drawing.cloneNode(true), {x: 0, y: 0, width, height})
  copy.setAttribute("xmlns", SVG)
  const image = new Image()
  image.src = `data:image/svg+xml,${encodeURIComponent(text_of(copy))}`
  await image.decode()
  return image
}

const as_png = async ({width, height, figures, insets, behind}) => {
  const scale = devicePixelRatio
  const canvas = document.createElement("canvas")
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  const context = canvas.getContext("2d")
  context.fillStyle = behind
  context.fillRect(0, 0, canvas.width, canvas.height)
  for (const [view, {x, y}] of figures)
    context.drawImage(view.export("png").canvas, x * scale, y * scale)
  for (const [drawing, box] of insets) {
    const [x, y, w, h] = [box.x, box.y, box.width, box.height].map((each) => each * scale)
    context.drawImage(await image_of(drawing, box), x, y, w, h)
  }
  return new Promise((done) => canvas.toBlob(done, "image/png"))
}

const MAKERS = {png: as_png, svg: as_svg}

// "simulator-HAADF-frame-12-orientation.png"
const file_name = (state, panel, kind) => {
  const stream = state.channel.replaceAll(/[^\p{L}\p{N}.]+/gu, "-").replaceAll(/^-|-$/g, "")
  return `${stream}-frame-${state.shown}-${panel.dataset.panel}.${kind}`
}

const save = async (state, panel, kind) => {
  if (figures_in(panel).length == 0) return
  const name = file_name(state, panel, kind)
  const link = document.createElement("a")
  link.href = URL.createObjectURL(await MAKERS[kind](layout(panel)))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

// One menu for all panels; it opens below the button that asks for it.
export const watch_menu = (state) => {
  const menu = element("save")
  let of_panel = null
  for (const choice of menu.querySelectorAll("[data-kind]")) {
    choice.onclick = () => {
      menu.hidePopover()
      save(state, of_panel, choice.dataset.kind)
    }
  }
  const open_for = (panel, button) => {
    of_panel = panel
    const {right, bottom} = button.getBoundingClientRect()
    menu.style.right = `${document.documentElement.clientWidth - right}px`
    menu.style.top = `${bottom + 4}px`
  }
  return {element: menu, open_for}
}
