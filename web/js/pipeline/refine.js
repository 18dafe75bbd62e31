/**
 * Stage 4, Python worker: the matte becomes alpha at full size, in the photo's own pixels
 * (`pyside_logic/refine.py`). Python keeps photo and matte, so that other edges need no new matte.
 */

import { callPython } from './python.js'

/** @typedef {import('../rpc/messages.js').PythonCalls} PythonCalls */
/** @typedef {import('../rpc/serve.js').OnProgress} OnProgress */

/**
 * @param {PythonCalls['openPhoto'][0]} request
 * @returns {Promise<PythonCalls['openPhoto'][1]>}
 */
export async function openPhoto({ photo, matte }) {
  const handle = await callPython(
    'open_photo',
    new Uint8Array(photo.rgba),
    photo.height,
    photo.width,
    matte.data,
    matte.height,
    matte.width,
  )
  return { handle }
}

/**
 * @param {PythonCalls['openKeyedPhoto'][0]} request
 * @returns {Promise<PythonCalls['openKeyedPhoto'][1]>}
 */
export async function openKeyedPhoto({ photo, key }) {
  const { handle, ...matte } = await callPython(
    'open_keyed_photo',
    new Uint8Array(photo.rgba),
    photo.height,
    photo.width,
    key,
  )
  return { handle, matte }
}

/**
 * @param {PythonCalls['subjectPart'][0]} request
 * @returns {Promise<PythonCalls['subjectPart'][1]>}
 */
export async function subjectPart({ handle }) {
  const part = await callPython('subject_part', handle)
  return part ? { rgba: part.rgba.buffer, height: part.height, width: part.width } : null
}

/** @param {PythonCalls['addSecondLook'][0]} request */
export async function addSecondLook({ handle, matte }) {
  await callPython('add_second_look', handle, matte.data, matte.height, matte.width)
}

/**
 * @param {PythonCalls['refine'][0]} request
 * @param {OnProgress} onProgress
 * @returns {Promise<PythonCalls['refine'][1]>} the preview is the receiver's to close
 */
export async function refine({ handle, options, preview }, onProgress) {
  await callPython('refine', handle, options, onProgress)
  if (!preview) return { preview: null }
  /** @type {OffscreenCanvas} */
  const canvas = await callPython('draw', handle)
  return { preview: canvas.transferToImageBitmap() }
}

/** @param {PythonCalls['closePhoto'][0]} request */
export async function closePhoto({ handle }) {
  await callPython('close_photo', handle)
}
