/** Stage 2, inference worker: pixels become the tensor that the network was trained on. */

import { findModel } from '../assets.js'
import { resizeLanczos } from './lanczos.js'
import { normalise } from './normalise.js'

/** @typedef {import('../rpc/messages.js').Photo} Photo */

/**
 * Resizes without keeping the aspect ratio and normalises, as the networks' own code does.
 * @param {{ photo: Photo, model: string }} request
 * @returns {Float32Array<ArrayBuffer>} `input_nchw`, 1 x 3 x height x width of the network
 */
export function preprocess({ photo, model }) {
  const { input } = findModel(model)
  const { height, width } = input
  const rgb = resizeLanczos(new Uint8Array(photo.rgba), photo.height, photo.width, height, width)
  return normalise(rgb, input)
}

/**
 * A network's input for the same network at half its size: means of two by two pixels.
 * @param {Float32Array} input_nchw 1 x 3 x 2 height x 2 width
 * @param {{ height: number, width: number }} size
 * @returns {Float32Array<ArrayBuffer>} 1 x 3 x height x width
 */
export function halved(input_nchw, { height, width }) {
  const half_nchw = new Float32Array(3 * height * width)
  for (let row = 0, at = 0; row < 3 * height; row++) {
    const above = 4 * row * width
    const below = above + 2 * width
    for (let x = 0; x < 2 * width; x += 2, at++) {
      const [a = 0, b = 0] = [input_nchw[above + x], input_nchw[above + x + 1]]
      const [c = 0, d = 0] = [input_nchw[below + x], input_nchw[below + x + 1]]
      half_nchw[at] = (a + b + c + d) / 4
    }
  }
  return half_nchw
}
