/**
 * The picture whose answer is known: a backend that does not reproduce it on this very device is
 * not trusted with a photo. `exporter/self_test.py` draws the same ones, chooses one that the network
 * finds something in, and computes the answer.
 */

import { normalise } from './normalise.js'

/** @typedef {import('../build.js').Model} Model */
/** @typedef {{ max: number, mean: number }} Deviation */
/**
 * What a network answers to a picture: means over the grid, as levels of `low` to `high`.
 * @typedef {{ picture: number, levels: Uint8Array, low: number, high: number }} Answer
 */

/** Cells along each side of the answer. */
const GRID = 16
/** The disc in each of its colours; the next picture is squares. */
const COLOURS = 3

/**
 * @param {string} golden base64 of GRID x GRID bytes. Where these are not of 0..1, or not of the first
 *   picture, a byte with the number of the picture and `low` and `high` as float32 come after them.
 * @returns {Answer}
 */
export function readAnswer(golden) {
  const bytes = Uint8Array.from(atob(golden), (character) => character.charCodeAt(0))
  const levels = bytes.subarray(0, GRID * GRID)
  if (bytes.length === levels.length) return { picture: 0, levels, low: 0, high: 1 }
  const after = new DataView(bytes.buffer, levels.length)
  const [low, high] = [after.getFloat32(1, true), after.getFloat32(5, true)]
  return { picture: after.getUint8(0), levels, low, high }
}

/**
 * @param {Model['input']} input
 * @param {number} picture of an Answer
 * @returns {Float32Array<ArrayBuffer>} `input_nchw`
 */
export function goldenInput(input, picture) {
  return normalise(goldenPicture(input.height, input.width, picture), input)
}

/**
 * A warm disc before a cool slope, the same in other colours, or squares of many; in whole numbers
 * only, the same in every engine.
 * @param {number} height
 * @param {number} width
 * @param {number} number
 * @returns {Uint8ClampedArray<ArrayBuffer>} height x width x 3
 */
export function goldenPicture(height, width, number) {
  const rgb = new Uint8ClampedArray(3 * height * width)
  const red = number % 3
  const green = (number + 1) % 3
  const blue = (number + 2) % 3
  for (let row = 0, at = 0; row < height; row++) {
    const y = Math.floor((256 * row) / height)
    for (let column = 0; column < width; column++, at += 3) {
      const x = Math.floor((256 * column) / width)
      const colour = number < COLOURS ? colourOfDisc(y, x) : colourOfSquare(y >> 5, x >> 5)
      rgb[at + red] = colour[0]
      rgb[at + green] = colour[1]
      rgb[at + blue] = colour[2]
    }
  }
  return rgb
}

/**
 * @param {number} y 0..255
 * @param {number} x 0..255
 * @returns {[number, number, number]}
 */
function colourOfDisc(y, x) {
  const inDisc = (y - 128) ** 2 + (x - 128) ** 2 < 70 * 70
  return inDisc ? [200 - (y >> 3), 60 + (x >> 3), 40] : [90 + (x >> 3), 120 + (y >> 3), 150]
}

/**
 * @param {number} row 0..7
 * @param {number} column 0..7
 * @returns {[number, number, number]}
 */
function colourOfSquare(row, column) {
  const index = 8 * row + column
  const base = 53 * index * index
  return [(base + 91 * index) & 255, (base + 182 * index) & 255, (base + 273 * index) & 255]
}

/**
 * How far the means over the grid are from the answer, as shares of its range; infinite where a number
 * is missing.
 * @param {Float32Array} output height x width, before any stretching
 * @param {{ height: number, width: number }} size
 * @param {Answer} answer
 * @returns {Deviation}
 */
export function deviation(output, { height, width }, { levels, low, high }) {
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
    const share = (mean - low) / (high - low)
    const distance = Math.abs(share - /** @type {number} */ (levels[cell]) / 255)
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
