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
