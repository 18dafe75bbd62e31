/**
 * Stage `encode`, Python worker: pixels become a file. Python writes what keeps every pixel
 * (`pyside_logic/encode.py`), the browser what loses some anyway; where it cannot, Python does that
 * too, with a package that is fetched then and not before.
 */

import { GossamerError } from '../rpc/errors.js'
import { withoutUndefined } from '../values.js'
import { callPython, loadPythonPackage } from './python.js'

/** @typedef {import('../rpc/messages.js').PythonCalls} PythonCalls */

const WRITTEN_BY_BROWSER = ['image/webp']
/** Of a WebP, as in `pyside_logic/webp.py`: Chromium cuts off what is beyond it and says nothing. */
const MAX_SIDE_PX = 16383

/**
 * @param {PythonCalls['encode'][0]} request
 * @returns {Promise<PythonCalls['encode'][1]>}
 */
export async function encode({ handle, output, content, backdrop }) {
  const wanted = withoutUndefined(output)
  const behind = readable(backdrop)
  const type = wanted.type ?? ''
  if (WRITTEN_BY_BROWSER.includes(type)) {
    const { canvas, quality, label } = await callPython('paint', handle, wanted, content, behind)
    const blob = await written(canvas, type, quality)
    if (blob.type === type) {
      const { height, width } = canvas
      const bytes = new Uint8Array(await blob.arrayBuffer())
      return { bytes: await callPython('label', bytes, height, width, label), height, width }
    }
    await loadPythonPackage('pillow') // as in Safari, which hands back a PNG
  }
  return callPython('encode', handle, wanted, content, behind)
}

/**
 * @param {PythonCalls['previewFile'][0]} request
 * @returns {Promise<PythonCalls['previewFile'][1]>} the preview is the receiver's to close
 */
export async function previewFile({ handle, options, output, longest_px, backdrop }) {
  const { canvas, height, width } = await callPython(
    'draw_file_preview',
    handle,
    withoutUndefined(options),
    withoutUndefined(output),
    longest_px,
    readable(backdrop),
  )
  return { preview: canvas.transferToImageBitmap(), height, width }
}

/** @param {import('../rpc/messages.js').Photo | null} photo */
function readable(photo) {
  return photo && { ...photo, rgba: new Uint8Array(photo.rgba) }
}

/**
 * @param {OffscreenCanvas} canvas
 * @param {string} type
 * @param {number} quality
 */
async function written(canvas, type, quality) {
  const { height, width } = canvas
  if (Math.max(height, width) > MAX_SIDE_PX) {
    throw new GossamerError(
      'invalid_argument',
      'encode',
      `A WebP has sides of at most ${MAX_SIDE_PX} px, this one would have ${width} x ${height}. Choose PNG.`,
    )
  }
  try {
    return await canvas.convertToBlob({ type, quality })
  } catch (error) {
    throw new GossamerError(
      'invalid_argument',
      'encode',
      `A picture of ${width} x ${height} px cannot be written as ${type} (${error}). Choose PNG.`,
    )
  }
}
