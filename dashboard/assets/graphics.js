// Without a graphics card, WebGL is done by the processor, which draws ten thousand
// atoms on a plain canvas in a third of the time. Bokeh takes WebGL wherever it is
// offered, so that it must not be offered there.
{
  const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i

  const get_context = HTMLCanvasElement.prototype.getContext
  const gl = document.createElement("canvas").getContext("webgl")
  const details = gl?.getExtension("WEBGL_debug_renderer_info")
  const renderer = gl?.getParameter(details?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER)
  gl?.getExtension("WEBGL_lose_context")?.loseContext()

  if (SOFTWARE.test(renderer)) {
    HTMLCanvasElement.prototype.getContext = function (kind, ...options) {
      return kind.startsWith("webgl") ? null : get_context.call(this, kind, ...options)
    }
  }
}
