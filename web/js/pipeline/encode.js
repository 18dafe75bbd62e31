/**
 * Stage 5, Python worker: pixels become a file. Python writes what keeps every pixel
 * (`pyside_logic/encode.py`), the browser what loses some anyway.
 */

import { GossamerError } from '../rpc/errors.js'
import { callPython } from './python.js'

/** @typedef {import('../rpc/messages.js').PythonCalls} PythonCalls */

const WRITTEN_BY_BROWSER = ['image/webp']

/**
 * @param {PythonCalls['encode'][0]} request
 * @returns {Promise<PythonCalls['encode'][1]>}
 */
export async function encode({ handle, output, content, density }) {
  const wanted = withoutUndefined(output)
  if (!WRITTEN_BY_BROWSER.includes(wanted.type ?? '')) {
    return callPython('encode', handle, wanted, content, density)
  }
  const { canvas, quality } = await callPython('paint', handle, wanted, content)
  return encodeCanvas(canvas, /** @type {string} */ (wanted.type), quality)
}

/**
 * @param {OffscreenCanvas} canvas
 * @param {string} type
 * @param {number} quality
 * @returns {Promise<PythonCalls['encode'][1]>}
 */
async function encodeCanvas(canvas, type, quality) {
  const { height, width } = canvas
  const blob = await written(canvas, type, quality)
  if (blob.type !== type) {
    throw new GossamerError(
      'backend_unavailable',
      'encode',
      `Expected ${type} from this browser, received ${blob.type}: it cannot write such files. Choose image/png.`,
    )
  }
  return { bytes: new Uint8Array(await blob.arrayBuffer()), height, width }
}

/**
 * @param {OffscreenCanvas} canvas
 * @param {string} type
 * @param {number} quality
 */
async function written(canvas, type, quality) {
  try {
    return await canvas.convertToBlob({ type, quality })
  } catch (error) {
    throw new GossamerError(
      'invalid_argument',
      'encode',
      `A picture of ${canvas.width} x ${canvas.height} pixels cannot be written as ${type} (${error}). Choose image/png.`,
    )
  }
}

/**
 * In JavaScript an option that is undefined is one that was not given; Python would see a None.
 * @param {import('../rpc/messages.js').OutputOptions} output
 */
function withoutUndefined(output) {
  const given = Object.entries(output).filter(([, value]) => value !== undefined)
  return /** @type {typeof output} */ (Object.fromEntries(given))
}
