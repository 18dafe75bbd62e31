/**
 * Stage `refine`, Python worker: the matte becomes alpha at full size, in the photo's own pixels
 * (`pyside_logic/refine.py`). Python keeps photo and matte, so that other edges need no new matte.
 */

import { release } from '../rpc/release.js'
import { withoutUndefined } from '../values.js'
import { callPython } from './python.js'

/** @typedef {import('../rpc/messages.js').PythonCalls} PythonCalls */
/** @typedef {import('../rpc/serve.js').OnProgress} OnProgress */

/** iOS shows nothing of a larger picture, and says nothing. */
const CANVAS_LIMIT_PX = 4096 * 4096

/**
 * @param {PythonCalls['openPhoto'][0]} request
 * @returns {Promise<PythonCalls['openPhoto'][1]>}
 */
export async function openPhoto({ photo }) {
  const handle = await callPython(
    'open_photo',
    new Uint8Array(photo.rgba),
    photo.height,
    photo.width,
    photo.file,
  )
  release(photo.rgba) // Python has its own copy
  return { handle }
}

/** @param {PythonCalls['setMatte'][0]} request */
export async function setMatte({ handle, matte }) {
  await callPython('set_matte', handle, matte.data, matte.height, matte.width)
}

/**
 * @param {PythonCalls['addWiderLook'][0]} request
 * @returns {Promise<PythonCalls['addWiderLook'][1]>}
 */
export async function addWiderLook({ handle, matte: { data, height, width } }) {
  return { fused: await callPython('add_wider_look', handle, data, height, width) }
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
    photo.file,
  )
  release(photo.rgba)
  return { handle, matte }
}

/**
 * @param {PythonCalls['photoPixels'][0]} request
 * @returns {Promise<PythonCalls['photoPixels'][1]>}
 */
export async function photoPixels({ handle }) {
  const { rgba, height, width } = await callPython('photo_pixels', handle)
  return { rgba: rgba.buffer, height, width }
}

/**
 * @param {PythonCalls['offerMatte'][0]} request
 * @returns {Promise<PythonCalls['offerMatte'][1]>}
 */
export async function offerMatte({ handle, matte: { data, height, width }, agreement }) {
  return { agreed: await callPython('offer_matte', handle, data, height, width, agreement) }
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
export async function refine({ handle, options, preview, precise }, onProgress) {
  const wanted = withoutUndefined(options)
  const isEmpty = await callPython('refine', handle, wanted, onProgress, precise)
  if (!preview) return { preview: null, isEmpty }
  return { preview: await toBitmap(await callPython('draw', handle)), isEmpty }
}

/**
 * @param {PythonCalls['preview'][0]} request
 * @returns {Promise<PythonCalls['preview'][1]>} the preview is the receiver's to close
 */
export async function preview({ handle, options, longest_px }) {
  const canvas = await callPython('draw_preview', handle, withoutUndefined(options), longest_px)
  return { preview: canvas.transferToImageBitmap() }
}

/**
 * @param {OffscreenCanvas} canvas
 * @returns {Promise<ImageBitmap>}
 */
async function toBitmap(canvas) {
  const scale = Math.sqrt(CANVAS_LIMIT_PX / (canvas.height * canvas.width))
  if (scale >= 1) return canvas.transferToImageBitmap()
  return createImageBitmap(canvas, {
    resizeHeight: Math.floor(canvas.height * scale),
    resizeWidth: Math.floor(canvas.width * scale),
    resizeQuality: 'medium',
  })
}

/** @param {PythonCalls['touchUp'][0]} request */
export async function touchUp({ handle, strokes }) {
  await callPython('touch_up', handle, strokes)
}

/**
 * @param {PythonCalls['subjects'][0]} request
 * @returns {Promise<PythonCalls['subjects'][1]>}
 */
export async function subjects({ handle }) {
  return callPython('subjects', handle)
}

/** @param {PythonCalls['closePhoto'][0]} request */
export async function closePhoto({ handle }) {
  await callPython('close_photo', handle)
}
