/** Stage 2, inference worker: pixels become the tensor that the network was trained on. */

import { findModel } from '../assets.js'
import { resizeLanczos } from './lanczos.js'

/** @typedef {import('../rpc/messages.js').Photo} Photo */

/**
 * Resizes without keeping the aspect ratio and normalises, as the networks' own code does.
 * @param {{ photo: Photo, model: string }} request
 * @returns {Float32Array<ArrayBuffer>} `input_nchw`, 1 x 3 x height x width of the network
 */
export function preprocess({ photo, model }) {
  const { height, width, scale, mean, std } = findModel(model).input
  const rgb = resizeLanczos(new Uint8Array(photo.rgba), photo.height, photo.width, height, width)
  const divisor = scale === 'max' ? Math.max(largest(rgb), 1e-6) : 255
  const plane = height * width
  const input = new Float32Array(3 * plane)
  for (let channel = 0; channel < 3; channel++) {
    const centre = /** @type {number} */ (mean[channel])
    const spread = /** @type {number} */ (std[channel])
    for (let i = 0; i < plane; i++) {
      const value = /** @type {number} */ (rgb[3 * i + channel])
      input[channel * plane + i] = (value / divisor - centre) / spread
    }
  }
  return input
}

/** @param {Uint8ClampedArray} values */
function largest(values) {
  let found = 0
  for (const value of values) if (value > found) found = value
  return found
}
