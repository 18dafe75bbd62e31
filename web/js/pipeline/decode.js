/** Stage `decode`, inference worker: a file becomes upright pixels, or an error that names the file. */

import { arrived } from '../imports.js'
import { GossamerError } from '../rpc/errors.js'
import { inflated, isDisplayP3, isWide } from './colour-profile.js'
import { readImageHeader } from './image-header.js'
import { estimateMemory, mostPixels } from './memory.js'

/** @typedef {import('../rpc/messages.js').ColorSpace} ColorSpace */
/** @typedef {import('../rpc/messages.js').DecodedPhoto} DecodedPhoto */
/** @typedef {import('../rpc/messages.js').Photo} Photo */
/** @typedef {import('./image-header.js').ImageHeader} ImageHeader */
/** @typedef {import('../rpc/errors.js').ErrorCode} ErrorCode */

/** A side that no canvas has in any browser. */
const MAX_SIDE_PX = 32767
/** Below this a picture has no subject that a network could find. */
const MIN_SIDE_PX = 8
const MAX_FILE_BYTES = 512e6

/**
 * @param {{
 *   source: Blob | ImageBitmap | ImageData,
 *   name: string,
 *   colorSpace?: ColorSpace,
 *   longest_px?: number,
 * }} request `name` is for messages; an ImageBitmap is closed. `colorSpace` is that of the pixels,
 *   by default sRGB, or Display P3 for a photo whose profile has more colours; a side longer than
 *   `longest_px` is made that long
 * @returns {Promise<DecodedPhoto>}
 */
export async function decode({ source, name, colorSpace, longest_px = Infinity }) {
  if (source instanceof ImageData) {
    checkSize(source, name)
    const bitmap = await createImageBitmap(source, { premultiplyAlpha: 'none' })
    const small = await shrunk(bitmap, longest_px)
    return withoutFile(pixelsOf(small, name, colorSpace ?? source.colorSpace))
  }
  if (source instanceof ImageBitmap) {
    checkSize(source, name)
    return withoutFile(pixelsOf(await shrunk(source, longest_px), name, colorSpace ?? 'srgb'))
  }
  const header = await checkFile(source, name)
  const wanted = colorSpace ?? ((await isWideFile(header)) ? 'display-p3' : 'srgb')
  const bitmap = await shrunk(await toBitmap(source, name, header), longest_px)
  const { photo, colorSpace: received } = pixelsOf(bitmap, name, wanted)
  const file = {
    density: uprightDensity(header, photo),
    exif: header.exif?.slice() ?? null, // the rest of the file is not kept
    hasProfile: header.profile !== null,
    colorSpace: received,
  }
  return { ...photo, file }
}

/**
 * @param {ImageBitmap} bitmap closed here where another takes its place
 * @param {number} longest_px
 */
async function shrunk(bitmap, longest_px) {
  const scale = longest_px / Math.max(bitmap.height, bitmap.width)
  if (scale >= 1) return bitmap
  const small = await createImageBitmap(bitmap, {
    resizeHeight: Math.max(1, Math.round(bitmap.height * scale)),
    resizeWidth: Math.max(1, Math.round(bitmap.width * scale)),
    resizeQuality: 'medium',
  })
  bitmap.close()
  return small
}

/** @param {{ photo: Photo, colorSpace: ColorSpace }} pixels */
function withoutFile({ photo, colorSpace }) {
  return { ...photo, file: { density: null, exif: null, hasProfile: false, colorSpace } }
}

/** @param {ImageHeader} header */
async function isWideFile({ format, profile }) {
  if (!profile) return false
  return isWide(format === 'png' ? await inflated(profile) : profile)
}

/**
 * @param {ImageHeader} header of the picture as it is stored
 * @param {Photo} photo the same, upright
 */
function uprightDensity({ density, height, width }, photo) {
  const lies = height !== width && height === photo.width && width === photo.height
  return density && lies ? { vertical: density.horizontal, horizontal: density.vertical } : density
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
async function checkFile(blob, name) {
  checkBytes(blob, name)
  const header = checkHeader(readImageHeader(new Uint8Array(await read(blob, name))), blob, name)
  if (!header.complete) throw cutOff(blob, name)
  return header
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
export function checkBytes(blob, name) {
  if (blob.size === 0) {
    throw failure(
      'empty_file',
      `${name} is empty (0 bytes). Save it again and choose the new file.`,
    )
  }
  if (blob.size > MAX_FILE_BYTES) {
    throw failure(
      'image_too_large',
      `${name} has ${megabytes(blob.size)}; files up to ${megabytes(MAX_FILE_BYTES)} can be opened.`,
    )
  }
}

/**
 * @param {ImageHeader | null} header of the whole file, or of as much as its size stands in
 * @param {Blob} blob
 * @param {string} name
 * @returns {ImageHeader} of a picture of a size that can be held
 */
export function checkHeader(header, blob, name) {
  if (!header) {
    throw failure(
      'unsupported_format',
      `${name} is not a picture that can be opened here. Choose a JPEG, PNG, WebP, AVIF, HEIC, GIF or BMP file.`,
    )
  }
  if (header.height && header.width) checkSize(header, name)
  else throw header.complete ? damaged(name) : cutOff(blob, name)
  return header
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function cutOff(blob, name) {
  return failure(
    'truncated_image',
    `${name} is cut off after ${megabytes(blob.size)}. Save it again and choose the new file.`,
  )
}

/** @param {string} name */
function damaged(name) {
  return failure(
    'corrupt_image',
    `${name} is damaged and cannot be decoded. Open it in another program, save it again, and choose the new file.`,
  )
}

/**
 * @param {{ height: number, width: number }} size
 * @param {string} name
 */
function checkSize({ height, width }, name) {
  if (Math.min(height, width) < MIN_SIDE_PX) {
    throw failure(
      'image_too_small',
      `${name} has only ${width} x ${height} pixels. Choose a picture of at least ${MIN_SIDE_PX} x ${MIN_SIDE_PX}.`,
    )
  }
  const most = mostPixels()
  if (height * width > most) {
    const memory = megabytes(estimateMemory({ height, width }))
    throw failure(
      'image_too_large',
      `${name} has ${width} x ${height} pixels, ${Math.round((height * width) / 1e6)} megapixels, which take about ${memory} of memory; up to ${Math.floor(most / 1e6)} megapixels can be held here. Make it smaller first.`,
    )
  }
  if (Math.max(height, width) > MAX_SIDE_PX) {
    throw failure(
      'image_too_large',
      `${name} has ${width} x ${height} pixels; sides up to ${MAX_SIDE_PX} can be held. Make it smaller first.`,
    )
  }
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
async function read(blob, name) {
  try {
    return await blob.arrayBuffer()
  } catch (error) {
    throw failure(
      'corrupt_image',
      `${name} could not be read: ${reason(error)}. If it was moved or changed, choose it again.`,
    )
  }
}

/**
 * @param {Blob} blob
 * @param {string} name
 * @param {ImageHeader} header
 */
async function toBitmap(blob, name, { format, profile }) {
  try {
    const bitmap = await createImageBitmap(blob, { imageOrientation: 'from-image' }).catch(
      async (error) => {
        if (format !== 'heif') throw error
        const { decodeHeif } = await arrived(import('./heif.js')) // for the few that need it
        const stored = profile && isDisplayP3(profile) ? 'display-p3' : 'srgb'
        return decodeHeif(blob, name, (size) => checkSize(size, name), stored)
      },
    )
    checkSize(bitmap, name)
    return bitmap
  } catch (error) {
    if (error instanceof GossamerError) throw error
    throw damaged(name)
  }
}

/**
 * @param {ImageBitmap} bitmap closed here
 * @param {string} name
 * @param {ColorSpace} wanted
 * @returns {{ photo: Photo, colorSpace: ColorSpace }} a browser may know sRGB only
 */
function pixelsOf(bitmap, name, wanted) {
  const { height, width } = bitmap
  try {
    const canvas = new OffscreenCanvas(width, height)
    const context = canvas.getContext('2d', { willReadFrequently: true, colorSpace: wanted })
    if (!context) throw new Error('no 2D canvas')
    context.drawImage(bitmap, 0, 0)
    bitmap.close() // before the pixels are there once more
    const pixels = context.getImageData(0, 0, width, height, { colorSpace: wanted })
    canvas.width = 0 // gives its memory back at once
    const colorSpace = /** @type {ColorSpace} */ (pixels.colorSpace ?? 'srgb')
    return { photo: { rgba: pixels.data.buffer, height, width }, colorSpace }
  } catch (error) {
    throw failure(
      'out_of_memory',
      `${name} has ${width} x ${height} pixels, more than this browser has memory for (${reason(error)}). Make it smaller first.`,
    )
  } finally {
    bitmap.close()
  }
}

/**
 * @param {ErrorCode} code
 * @param {string} message
 */
function failure(code, message) {
  return new GossamerError(code, 'decode', message)
}

/** @param {unknown} error whose words stand within a sentence */
function reason(error) {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
}

/** @param {number} bytes */
function megabytes(bytes) {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  return bytes < 1e5
    ? `${Math.max(1, Math.round(bytes / 1e3))} kB`
    : `${(bytes / 1e6).toFixed(1)} MB`
}
