/** What a picture takes while it is cut out, known before a decoder touches it. */

/**
 * 11 to 15 were measured, with the four that Python keeps: the browser's bitmap and a canvas, then that
 * and the pixels, then those and Python's copy of them, then that and the file. HEIC takes more.
 */
const BYTES_PER_PIXEL = 20
/** The part of a device's memory that one picture may take. */
const SHARE = 0.5
/** The pixels, the matte and the PNG of 100 megapixels fill a 32-bit heap of 2 GB by a third. */
const MAX_PIXELS = 100e6

/**
 * @param {{ height: number, width: number }} size in px
 * @returns {number} bytes
 */
export function estimateMemory({ height, width }) {
  return height * width * BYTES_PER_PIXEL
}

/**
 * @param {number} [device_gb] of memory, where the browser tells
 * @returns {number} pixels of the largest picture that is taken on
 */
export function mostPixels(device_gb = deviceMemory()) {
  return Math.min(MAX_PIXELS, Math.floor((device_gb * 1e9 * SHARE) / BYTES_PER_PIXEL))
}

/** Rounded to a power of two by the browsers that tell it, and at most 8 or 32. */
function deviceMemory() {
  const { deviceMemory = Number.POSITIVE_INFINITY } = /** @type {{ deviceMemory?: number }} */ (
    globalThis.navigator ?? {}
  )
  return deviceMemory
}
