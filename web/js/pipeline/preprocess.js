/** Stage `preprocess`, inference worker: pixels become the tensor that the network was trained on. */

import { findModel } from '../assets.js'
import { build } from '../build.js'
import { REMEDY } from '../imports.js'
import { GossamerError } from '../rpc/errors.js'
import { firstLine } from './engine-errors.js'
import { resizeLanczos } from './lanczos.js'
import { normalise } from './normalise.js'
import { Once } from './once.js'
import { fetchWhole } from './whole-file.js'

/** @typedef {import('../rpc/messages.js').Photo} Photo */

/** @type {Once<'kernel', WebAssembly.Module>} */
const once = new Once()

/** Fetches what `preprocess` needs, before there is a photo. */
export function prepare() {
  return once.get('kernel', fetchKernel)
}

async function fetchKernel() {
  try {
    return await WebAssembly.compile(await fetchWhole(build.lanczos))
  } catch (error) {
    const words = `What resizes photos could not be loaded: ${firstLine(error)}. ${REMEDY}`
    throw new GossamerError('model_unavailable', 'preprocess', words)
  }
}

/**
 * Resizes without keeping the aspect ratio and normalises, as the networks' own code does.
 * @param {{ photo: Photo, model: string }} request
 * @returns {Promise<Float32Array<ArrayBuffer>>} `input_nchw`, 1 x 3 x height x width of the network
 */
export async function preprocess({ photo, model }) {
  const { input } = findModel(model)
  const { height, width } = input
  const lanczos = await prepare()
  const rgba_hwc = new Uint8Array(photo.rgba)
  const rgb = resizeLanczos(lanczos, rgba_hwc, photo.height, photo.width, height, width)
  return normalise(rgb, input)
}
