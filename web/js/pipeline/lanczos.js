/**
 * Lanczos resampling to a network's input, in plain arithmetic so that every browser computes the
 * same tensor. Canvas resampling differs from engine to engine and from what networks were
 * trained with, which is Pillow's: two passes, a window widened when shrinking, 8 bits between.
 */

const LOBES = 3
/** Photos are averaged down to no less than this many times the target first; exact below it. */
const REDUCING_GAP = 2

/**
 * @param {Uint8Array} rgba_hwc `height` x `width` x 4, from the start of a pixel in memory on; alpha
 *   is ignored
 * @param {number} height
 * @param {number} width
 * @param {number} toHeight
 * @param {number} toWidth
 * @returns {Uint8ClampedArray<ArrayBuffer>} rgb_hwc, `toHeight` x `toWidth` x 3
 */
export function resizeLanczos(rgba_hwc, height, width, toHeight, toWidth) {
  const rows = Math.max(1, Math.floor(height / toHeight / REDUCING_GAP))
  const columns = Math.max(1, Math.floor(width / toWidth / REDUCING_GAP))
  const reduced =
    rows * columns === 1
      ? { pixels: rgba_hwc, channels: 4, height, width }
      : averageBoxes(rgba_hwc, height, width, rows, columns)
  const narrowed = alongWidth(reduced, width / columns, toWidth)
  return alongHeight(narrowed, height / rows, toHeight)
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
 * An 8-bit picture of red, green, blue and whatever else; the last box of a row or column may be a
 * partial one.
 * @typedef {{
 *   pixels: Uint8Array | Uint8ClampedArray<ArrayBuffer>,
 *   channels: number,
 *   height: number,
 *   width: number,
 * }} Picture
 */

/**
 * @param {Uint8Array} rgba_hwc
 * @param {number} height
 * @param {number} width
 * @param {number} boxHeight
 * @param {number} boxWidth
 * @returns {Picture}
 */
function averageBoxes(rgba_hwc, height, width, boxHeight, boxWidth) {
  const pixels = new Uint32Array(rgba_hwc.buffer, rgba_hwc.byteOffset, height * width)
  const outHeight = Math.ceil(height / boxHeight)
  const outWidth = Math.ceil(width / boxWidth)
  const rgb = new Uint8ClampedArray(3 * outHeight * outWidth)
  const sums = new Uint32Array(3 * outWidth)
  for (let outRow = 0; outRow < outHeight; outRow++) {
    const firstRow = outRow * boxHeight
    const lastRow = Math.min(firstRow + boxHeight, height)
    sums.fill(0)
    for (let row = firstRow; row < lastRow; row++) {
      addRow(sums, pixels.subarray(row * width, (row + 1) * width), boxWidth)
    }
    const to = 3 * outRow * outWidth
    for (let column = 0; column < outWidth; column++) {
      const count = Math.min(boxWidth, width - column * boxWidth) * (lastRow - firstRow)
      for (let i = 3 * column; i < 3 * column + 3; i++) rgb[to + i] = sums[i] / count
    }
  }
  return { pixels: rgb, channels: 3, height: outHeight, width: outWidth }
}

/**
 * @param {Uint32Array} sums
 * @param {Uint32Array} row of pixels, red in the lowest byte, as all machines of today have it
 * @param {number} boxWidth at most 257: more would not fit beside each other
 */
function addRow(sums, row, boxWidth) {
  let at = 0
  for (let sum = 0; sum < sums.length; sum += 3) {
    let redAndBlue = 0
    let green = 0
    const end = Math.min(at + boxWidth, row.length)
    for (; at < end; at++) {
      const pixel = row[at]
      redAndBlue += pixel & 0xff00ff
      green += (pixel >>> 8) & 0xff
    }
    sums[sum] += redAndBlue & 0xffff
    sums[sum + 1] += green
    sums[sum + 2] += redAndBlue >>> 16
  }
}

/**
 * @param {Picture} picture
 * @param {number} fromWidth its true width in its own pixels, which need not be whole
 * @param {number} toWidth
 * @returns {Picture} of three channels
 */
function alongWidth({ pixels, channels, height, width }, fromWidth, toWidth) {
  const taps = tapsOf(width, fromWidth, toWidth)
  const out = new Uint8ClampedArray(3 * height * toWidth)
  for (let row = 0; row < height; row++) {
    const from = channels * row * width
    let to = 3 * row * toWidth
    for (const { first, weights } of taps) {
      let red = 0
      let green = 0
      let blue = 0
      let at = from + channels * first
      for (let i = 0; i < weights.length; i++, at += channels) {
        const weight = weights[i]
        red += weight * pixels[at]
        green += weight * pixels[at + 1]
        blue += weight * pixels[at + 2]
      }
      out[to++] = red
      out[to++] = green
      out[to++] = blue
    }
  }
  return { pixels: out, channels: 3, height, width: toWidth }
}

/**
 * @param {Picture} picture of three channels
 * @param {number} fromHeight
 * @param {number} toHeight
 */
function alongHeight({ pixels: rgb, height, width }, fromHeight, toHeight) {
  const stride = 3 * width
  const out = new Uint8ClampedArray(stride * toHeight)
  const sums = new Float32Array(stride)
  tapsOf(height, fromHeight, toHeight).forEach(({ first, weights }, row) => {
    sums.fill(0)
    // Four rows at a time: half the time of one by one.
    for (let i = 0; i < weights.length; i += 4) {
      addRows(sums, rgb.subarray((first + i) * stride), weights.subarray(i, i + 4))
    }
    out.set(sums, row * stride)
  })
  return out
}

/**
 * @param {Float32Array} sums
 * @param {Picture['pixels']} rows as long as `sums`, one after another
 * @param {Float32Array} weights of the first four rows, or of fewer
 */
function addRows(sums, rows, weights) {
  const [first, second = 0, third = 0, fourth = 0] = weights
  const stride = sums.length
  // A row that does not count may not be there.
  const [to2, to3, to4] = [1, 2, 3].map((row) => (row < weights.length ? row * stride : 0))
  for (let i = 0; i < stride; i++) {
    sums[i] +=
      first * rows[i] + second * rows[to2 + i] + third * rows[to3 + i] + fourth * rows[to4 + i]
  }
}

/**
 * Which input pixels make each output pixel, and how much of each.
 * @param {number} length input pixels there are
 * @param {number} fromLength input length that is mapped onto `toLength`
 * @param {number} toLength
 * @returns {{ first: number, weights: Float32Array }[]} weights sum to 1
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
