/**
 * The picture whose answer is known: a backend that does not reproduce it on this very device is
 * not trusted with a photo. `exporter/self_test.py` draws the same one and computes the answer.
 */

import { normalise } from './normalise.js'

/** @typedef {import('../build.js').Model} Model */
/** @typedef {{ max: number, mean: number }} Deviation */

/** Cells along each side of the answer. */
const GRID = 16

/**
 * @param {Model['input']} input
 * @returns {Float32Array<ArrayBuffer>} `input_nchw`
 */
export function goldenInput(input) {
  return normalise(goldenPicture(input.height, input.width), input)
}

/**
 * A warm disc before a cool slope, in whole numbers only: the same in every engine.
 * @param {number} height
 * @param {number} width
 * @returns {Uint8ClampedArray<ArrayBuffer>} height x width x 3
 */
export function goldenPicture(height, width) {
  const rgb = new Uint8ClampedArray(3 * height * width)
  for (let row = 0, at = 0; row < height; row++) {
    const y = Math.floor((256 * row) / height)
    for (let column = 0; column < width; column++, at += 3) {
      const x = Math.floor((256 * column) / width)
      const inDisc = (y - 128) ** 2 + (x - 128) ** 2 < 70 * 70
      rgb[at] = inDisc ? 200 - (y >> 3) : 90 + (x >> 3)
      rgb[at + 1] = inDisc ? 60 + (x >> 3) : 120 + (y >> 3)
      rgb[at + 2] = inDisc ? 40 : 150
    }
  }
  return rgb
}

/**
 * How far the means over the grid are from the answer; infinite where a number is missing.
 * @param {Float32Array} output height x width, before any stretching
 * @param {{ height: number, width: number }} size
 * @param {string} golden base64 of GRID x GRID bytes
 * @returns {Deviation}
 */
export function deviation(output, { height, width }, golden) {
  const expected = Uint8Array.from(atob(golden), (character) => character.charCodeAt(0))
  let max = 0
  let sum = 0
  for (let cell = 0; cell < GRID * GRID; cell++) {
    const [top, bottom] = span(Math.floor(cell / GRID), height)
    const [left, right] = span(cell % GRID, width)
    let total = 0
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) total += /** @type {number} */ (output[y * width + x])
    }
    const mean = total / ((bottom - top) * (right - left))
    const distance = Math.abs(mean - /** @type {number} */ (expected[cell]) / 255)
    if (!Number.isFinite(distance)) return { max: Infinity, mean: Infinity }
    max = Math.max(max, distance)
    sum += distance
  }
  return { max, mean: sum / (GRID * GRID) }
}

/**
 * @param {number} index
 * @param {number} side
 * @returns {[number, number]}
 */
function span(index, side) {
  return [Math.floor((index * side) / GRID), Math.floor(((index + 1) * side) / GRID)]
}
