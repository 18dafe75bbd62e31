/** What this browser offers to a network, as the inference worker sees it: there it will run. */

/** @typedef {import('../build.js').Backend} Backend */

/**
 * `missing` says why a GPU is of no use, and is empty when there is one. A `software` GPU is a CPU
 * that plays one: slower than WASM.
 * @typedef {{ missing: string, name: string, software: boolean, f16: boolean }} Gpu
 */

/** @typedef {{ webgpu: Gpu, webgl: Gpu, simd: boolean, threads: number }} Device */

/** More threads than this gain nothing for networks of this size: upstream's own bound. */
const MAX_THREADS = 4

/** A graphics process that hangs must not hold up what needs none. */
const ADAPTER_LIMIT_MS = 10_000

// Not every browser admits it.
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i

// A function that returns a 128-bit vector: only engines with SIMD take it for valid.
const SIMD_PROBE = [
  [0, 97, 115, 109, 1, 0, 0, 0],
  [1, 5, 1, 96, 0, 1, 123],
  [3, 2, 1, 0],
  [10, 8, 1, 6, 0, 65, 0, 253, 15, 11],
].flat()

/**
 * @param {{ backends: Backend[] }} request those that the site has files for; others are not probed
 * @returns {Promise<Device>}
 */
export async function detect({ backends }) {
  const notShipped = none('this site has no file for it')
  return {
    webgpu: backends.includes('webgpu') ? await probeWebGpu() : notShipped,
    webgl: backends.includes('webgl') ? probeWebGl() : notShipped,
    simd: WebAssembly.validate(new Uint8Array(SIMD_PROBE)),
    threads: canShareMemory() ? Math.min(navigator.hardwareConcurrency, MAX_THREADS) : 1,
  }
}

/** WebKitGTK is isolated and has no memory to share all the same. */
function canShareMemory() {
  return globalThis.crossOriginIsolated && typeof SharedArrayBuffer !== 'undefined'
}

/** @returns {Promise<Gpu>} */
async function probeWebGpu() {
  if (!navigator.gpu) return none('this browser does not offer it')
  const asking = navigator.gpu.requestAdapter().catch(() => null)
  const adapter = await Promise.race([asking, after(ADAPTER_LIMIT_MS)])
  if (adapter === undefined) return none('its graphics adapter gave no answer')
  if (!adapter) return none('this browser has no graphics adapter for it')
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info
  const name = [vendor, architecture, description].filter(Boolean).join(' ')
  return {
    missing: '',
    name,
    software: isFallbackAdapter || SOFTWARE.test(name),
    f16: adapter.features.has('shader-f16'),
  }
}

/**
 * @param {number} ms
 * @returns {Promise<undefined>}
 */
function after(ms) {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
}

/** @returns {Gpu} */
function probeWebGl() {
  const hardware = openWebGl({ failIfMajorPerformanceCaveat: true })
  const context = hardware ?? openWebGl({})
  if (!context) return none('this browser does not offer its version 2')
  const names = context.getExtension('WEBGL_debug_renderer_info')
  const name = names ? String(context.getParameter(names.UNMASKED_RENDERER_WEBGL)) : ''
  const hasFloats = Boolean(context.getExtension('EXT_color_buffer_float'))
  context.getExtension('WEBGL_lose_context')?.loseContext()
  if (!hasFloats) return none('its textures hold no floating-point numbers')
  return { missing: '', name, software: !hardware || SOFTWARE.test(name), f16: false }
}

/** @param {WebGLContextAttributes} attributes */
function openWebGl(attributes) {
  if (!globalThis.OffscreenCanvas) return null
  return new OffscreenCanvas(1, 1).getContext('webgl2', attributes)
}

/**
 * @param {string} missing
 * @returns {Gpu}
 */
function none(missing) {
  return { missing, name: '', software: false, f16: false }
}
