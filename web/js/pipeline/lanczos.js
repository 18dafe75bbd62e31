/**
 * Lanczos resampling to a network's input, in plain arithmetic so that every browser computes the
 * same tensor. Canvas resampling differs from engine to engine and from what networks were
 * trained with, which is Pillow's: two passes, a window widened when shrinking, 8 bits between. What
 * takes time of that is `web/wasm/lanczos.c`.
 */

const LOBES = 3
/** Photos are averaged down to no less than this many times the target first; exact below it. */
const REDUCING_GAP = 2

/**
 * What `web/wasm/lanczos.c` exports; addresses are bytes.
 * @typedef {{
 *   average(pixels: number, rows: number, width: number, columns: number, levels: number, to: number): void,
 *   narrow(row: number, taps: number, to: number): void,
 *   shorten(rows: number, width: number, taps: number, to: number): void,
 *   __heap_base: WebAssembly.Global,
 * }} Kernel
 */

/** @typedef {{ first: number, weights: Float32Array }[]} Taps which input pixels make each output pixel */

const { Memory } = WebAssembly // ONNX Runtime's is bound and counted: wasm-memory.js
const PAGE_BYTES = 65536
/** Of what the kernel calls Taps. */
const TAPS_BYTES = 20

/**
 * @param {WebAssembly.Module} kernel
 * @param {Uint8Array} rgba_hwc `height` x `width` x 4; alpha is ignored
 * @param {number} height
 * @param {number} width
 * @param {number} toHeight
 * @param {number} toWidth
 * @returns {Uint8Array<ArrayBuffer>} rgb_hwc, `toHeight` x `toWidth` x 3
 */
export function resizeLanczos(kernel, rgba_hwc, height, width, toHeight, toWidth) {
  const rows = Math.max(1, Math.floor(height / toHeight / REDUCING_GAP))
  const columns = Math.max(1, Math.floor(width / toWidth / REDUCING_GAP))
  const reducedHeight = Math.ceil(height / rows)
  const reducedWidth = Math.ceil(width / columns)
  const across = tapsOf(reducedWidth, width / columns, toWidth)
  const down = tapsOf(reducedHeight, height / rows, toHeight)

  // The photo goes through a few of its rows at a time.
  const places = new Places()
  const acrossAt = places.ofTaps(across)
  const downAt = places.ofTaps(down)
  const rowsAt = places.take(4 * rows * width)
  const levelsAt = places.take(4 * reducedWidth)
  const reducedAt = places.take(16 * reducedWidth)
  const narrowAt = places.take(4 * reducedHeight * toWidth)
  const outAt = places.take(3 * toHeight * toWidth + 1)
  const { exports, memory, start } = instantiate(kernel, places.bytes)
  writeTaps(memory, start + acrossAt, across)
  writeTaps(memory, start + downAt, down)

  const bytes = new Uint8Array(memory.buffer)
  for (let row = 0; row < reducedHeight; row++) {
    const first = row * rows
    const count = Math.min(rows, height - first)
    const pixels = rgba_hwc.subarray(4 * width * first, 4 * width * (first + count))
    bytes.set(pixels, start + rowsAt)
    exports.average(start + rowsAt, count, width, columns, start + levelsAt, start + reducedAt)
    exports.narrow(start + reducedAt, start + acrossAt, start + narrowAt + 4 * toWidth * row)
  }
  exports.shorten(start + narrowAt, toWidth, start + downAt, start + outAt)
  return bytes.slice(start + outAt, start + outAt + 3 * toHeight * toWidth)
}

/** Places in a memory, from its start on. */
class Places {
  bytes = 0

  /** @param {number} bytes */
  take(bytes) {
    const place = this.bytes
    this.bytes += Math.ceil(bytes / 16) * 16
    return place
  }

  /** @param {Taps} taps */
  ofTaps(taps) {
    return this.take(TAPS_BYTES + 4 * taps.length * (2 + longest(taps)))
  }
}

/**
 * @param {WebAssembly.Module} module
 * @param {number} bytes
 * @returns {{ exports: Kernel, memory: WebAssembly.Memory, start: number }} `start` of so many bytes
 */
function instantiate(module, bytes) {
  const pages = 1 + Math.ceil(bytes / PAGE_BYTES) // the kernel's stack is less than one
  const memory = new Memory({ initial: pages })
  const instance = new WebAssembly.Instance(module, { env: { memory } })
  const exports = /** @type {Kernel} */ (/** @type {unknown} */ (instance.exports))
  return { exports, memory, start: Math.ceil(exports.__heap_base.value / 16) * 16 }
}

/**
 * @param {WebAssembly.Memory} memory
 * @param {number} at
 * @param {Taps} taps
 */
function writeTaps(memory, at, taps) {
  const most = longest(taps)
  const firstsAt = at + TAPS_BYTES
  const countsAt = firstsAt + 4 * taps.length
  const weightsAt = countsAt + 4 * taps.length
  const whole = new Int32Array(memory.buffer)
  const real = new Float32Array(memory.buffer)
  whole.set([firstsAt, countsAt, weightsAt, most, taps.length], at / 4)
  for (const [index, { first, weights }] of taps.entries()) {
    whole[firstsAt / 4 + index] = first
    whole[countsAt / 4 + index] = weights.length
    real.set(weights, weightsAt / 4 + most * index)
  }
}

/** @param {Taps} taps */
function longest(taps) {
  return taps.reduce((most, { weights }) => Math.max(most, weights.length), 0)
}

/**
 * @param {Float32Array} planes_chw of `height` x `width` numbers each
 * @param {{ height: number, width: number }} from
 * @param {{ height: number, width: number }} to
 * @returns {Float32Array<ArrayBuffer>} as many of `to`
 */
export function resizePlanes(planes_chw, from, to) {
  const count = planes_chw.length / (from.height * from.width)
  const across = tapsOf(from.width, from.width, to.width)
  const narrow = new Float32Array(count * from.height * to.width)
  for (let row = 0, at = 0; row < count * from.height; row++) {
    const start = row * from.width
    for (const { first, weights } of across) {
      let sum = 0
      for (let i = 0; i < weights.length; i++) sum += weights[i] * planes_chw[start + first + i]
      narrow[at++] = sum
    }
  }
  const down = tapsOf(from.height, from.height, to.height)
  const out = new Float32Array(count * to.height * to.width)
  for (let plane = 0, at = 0; plane < count; plane++) {
    for (const { first, weights } of down) {
      const row = out.subarray(at, at + to.width)
      let start = (plane * from.height + first) * to.width
      for (const weight of weights) {
        for (let i = 0; i < to.width; i++) row[i] += weight * narrow[start + i]
        start += to.width
      }
      at += to.width
    }
  }
  return out
}

/**
 * Which input pixels make each output pixel, and how much of each.
 * @param {number} length input pixels there are
 * @param {number} fromLength input length that is mapped onto `toLength`
 * @param {number} toLength
 * @returns {Taps} weights sum to 1
 */
function tapsOf(length, fromLength, toLength) {
  const scale = fromLength / toLength
  const stretch = Math.max(scale, 1)
  return Array.from({ length: toLength }, (_, i) => {
    const centre = (i + 0.5) * scale
    const first = Math.max(0, Math.floor(centre - LOBES * stretch + 0.5))
    const end = Math.min(length, Math.floor(centre + LOBES * stretch + 0.5))
    const weights = Float32Array.from({ length: end - first }, (_, k) =>
      lanczos((first + k + 0.5 - centre) / stretch),
    )
    const sum = weights.reduce((total, weight) => total + weight, 0)
    return { first, weights: weights.map((weight) => weight / sum) }
  })
}

/** @param {number} x */
function lanczos(x) {
  if (x === 0) return 1
  if (Math.abs(x) >= LOBES) return 0
  const angle = Math.PI * x
  return (LOBES * Math.sin(angle) * Math.sin(angle / LOBES)) / (angle * angle)
}
