/**
 * What a picture file says of itself before anything decodes it: its format, its size, how large it
 * is meant to be printed, where its EXIF and its colour profile lie, and whether its end is there.
 * Browsers decode cut-off files without a word and allocate whatever a header asks for.
 */

import { readHeif } from './heif-header.js'

/** @typedef {'jpeg' | 'png' | 'gif' | 'webp' | 'bmp' | 'avif' | 'heif'} Format */
/**
 * Resolution in pixels per metre.
 * @typedef {{ vertical: number, horizontal: number }} Density
 */
/**
 * `height` and `width` in px as stored (before EXIF orientation), and no less than what a decoder
 * makes room for; 0 where the file does not say, or not in these bytes. `density` is null where it
 * does not, or not in units of length. `exif` is a TIFF structure; `profile` an ICC profile, in a PNG
 * as a zlib stream. Both are parts of the file's own bytes.
 * @typedef {{
 *   format: Format,
 *   height: number,
 *   width: number,
 *   density: Density | null,
 *   exif: Uint8Array<ArrayBuffer> | null,
 *   profile: Uint8Array<ArrayBuffer> | null,
 *   complete: boolean,
 * }} ImageHeader
 */

/**
 * @param {Uint8Array<ArrayBuffer>} bytes the whole file, or its beginning
 * @returns {ImageHeader | null} null when it is none of the formats
 */
export function readImageHeader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (const [format, matches, read] of FORMATS) {
    if (!matches(bytes)) continue
    try {
      return { format, ...NOTHING, ...read(view, bytes) }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      // The header itself is cut off.
      return { format, ...NOTHING, height: 0, width: 0, complete: false }
    }
  }
  return null
}

const NOTHING = { density: null, exif: null, profile: null }
const AVIF = ['avif', 'avis']
const HEIF = ['heic', 'heix', 'heim', 'heis', 'hevc', 'mif1', 'msf1']

/** @typedef {Pick<ImageHeader, 'height' | 'width' | 'complete'> & Partial<ImageHeader>} Found */
/** @type {[Format, (bytes: Uint8Array) => boolean, typeof readPng][]} */
const FORMATS = [
  ['jpeg', (bytes) => startsWith(bytes, 0, 'ÿØÿ'), readJpeg],
  ['png', (bytes) => startsWith(bytes, 0, '\x89PNG\r\n\x1a\n'), readPng],
  ['gif', (bytes) => startsWith(bytes, 0, 'GIF8'), readGif],
  ['webp', (bytes) => startsWith(bytes, 0, 'RIFF') && startsWith(bytes, 8, 'WEBP'), readWebp],
  ['bmp', (bytes) => startsWith(bytes, 0, 'BM') && bytes.length > 26, readBmp],
  ['avif', (bytes) => startsWith(bytes, 4, 'ftyp') && hasBrand(bytes, AVIF), readAvif],
  ['heif', (bytes) => startsWith(bytes, 4, 'ftyp') && hasBrand(bytes, HEIF), readHeif],
]

/** SOI, segments, then entropy-coded data between SOS segments, until EOI. @type {typeof readPng} */
function readJpeg(view, bytes) {
  const found = { height: 0, width: 0 } // of several frames a decoder takes the first
  let density = null
  let exif = null
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const profile = []
  let at = 2
  for (;;) {
    at = bytes.indexOf(0xff, at)
    if (at < 0 || at + 1 >= bytes.length) return { ...found, density, complete: false }
    const marker = view.getUint8(at + 1)
    if (marker === 0xd9) {
      const complete = found.height > 0
      return { ...found, density, exif, profile: joined(profile), complete }
    }
    if (marker === 0xff) {
      at += 1 // fill byte
    } else if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2 // escaped data byte, or a marker without a length
    } else {
      const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
      if (isFrame) enlarge(found, view.getUint16(at + 5), view.getUint16(at + 7))
      if (marker === 0xe0 && startsWith(bytes, at + 4, 'JFIF\0')) density = jfifDensity(view, at)
      const end = at + 2 + view.getUint16(at + 2)
      if (marker === 0xe1 && startsWith(bytes, at + 4, 'Exif\0\0')) {
        exif ??= bytes.subarray(at + 10, end)
      }
      if (marker === 0xe2 && startsWith(bytes, at + 4, 'ICC_PROFILE\0')) {
        profile[view.getUint8(at + 16) - 1] = bytes.subarray(at + 18, end)
      }
      at = end
    }
  }
}

/**
 * A profile comes in as many segments as it needs, which are numbered.
 * @param {Uint8Array<ArrayBuffer>[]} parts
 */
function joined(parts) {
  if (parts.length < 2) return parts[0] ?? null
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0))
  let at = 0
  for (const part of parts) {
    if (!part) return null // one is missing
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Per inch, or per centimetre, or the shape of a pixel only. @param {DataView} view @param {number} at */
function jfifDensity(view, at) {
  const perMetre = { 1: 1 / 0.0254, 2: 100 }[view.getUint8(at + 11)]
  return perMetre
    ? densityOf(view.getUint16(at + 14) * perMetre, view.getUint16(at + 12) * perMetre)
    : null
}

/**
 * @param {number} vertical pixels per metre
 * @param {number} horizontal
 * @returns {Density | null}
 */
function densityOf(vertical, horizontal) {
  if (vertical < 1 || horizontal < 1) return null
  return { vertical: Math.round(vertical), horizontal: Math.round(horizontal) }
}

/**
 * Signature, then chunks of length, type, data, CRC, until IEND.
 * @param {DataView} view
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Found}
 */
function readPng(view, bytes) {
  const found = { height: view.getUint32(20), width: view.getUint32(16), complete: false }
  let density = null
  let exif = null
  let profile = null
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const end = at + 8 + view.getUint32(at)
    if (startsWith(bytes, at + 4, 'eXIf')) exif ??= bytes.subarray(at + 8, end)
    if (startsWith(bytes, at + 4, 'iCCP')) {
      // A name that ends with a zero, and the method of compression, of which there is one.
      profile ??= bytes.subarray(bytes.indexOf(0, at + 8) + 2, end)
    }
    if (startsWith(bytes, at + 4, 'pHYs') && view.getUint8(at + 16) === 1) {
      density = densityOf(view.getUint32(at + 12), view.getUint32(at + 8))
    }
    if (startsWith(bytes, at + 4, 'IEND'))
      return { ...found, density, exif, profile, complete: true }
  }
  return found
}

/**
 * Screen, extensions, then the first picture, for which a browser makes the screen larger where it
 * has to; later ones are cut off at its edge.
 * @type {typeof readPng}
 */
function readGif(view) {
  let height = view.getUint16(8, true)
  let width = view.getUint16(6, true)
  const flags = view.getUint8(10)
  let at = 13 + (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0) // behind the palette
  while (view.getUint8(at) === 0x21) {
    at += 2
    for (let size = view.getUint8(at); size > 0; size = view.getUint8(at)) at += 1 + size
    at += 1
  }
  if (view.getUint8(at) === 0x2c) {
    height = Math.max(height, view.getUint16(at + 3, true) + view.getUint16(at + 7, true))
    width = Math.max(width, view.getUint16(at + 1, true) + view.getUint16(at + 5, true))
  }
  return { height, width, complete: true }
}

/**
 * Chunks: the canvas where there is one, and a picture, for which a decoder makes room before it
 * finds that the two differ. Frames of an animation it compares first.
 * @type {typeof readPng}
 */
function readWebp(view, bytes) {
  const found = { height: 0, width: 0 }
  let exif = null
  let profile = null
  let hasPicture = false
  for (let at = 12; at + 8 <= bytes.length; ) {
    const start = at + 8
    const end = start + view.getUint32(at + 4, true)
    if (startsWith(bytes, at, 'VP8X')) {
      enlarge(found, uint24(view, start + 7) + 1, uint24(view, start + 4) + 1)
    } else if (startsWith(bytes, at, 'VP8L')) {
      const bits = view.getUint32(start + 1, true)
      enlarge(found, ((bits >>> 14) & 0x3fff) + 1, (bits & 0x3fff) + 1)
      hasPicture = true
    } else if (startsWith(bytes, at, 'VP8 ')) {
      const [height, width] = [start + 8, start + 6].map((side) => view.getUint16(side, true))
      enlarge(found, height & 0x3fff, width & 0x3fff)
      hasPicture = true
    } else if (startsWith(bytes, at, 'ANMF')) {
      hasPicture = true
    } else if (startsWith(bytes, at, 'ICCP')) {
      profile ??= bytes.subarray(start, end)
    } else if (startsWith(bytes, at, 'EXIF')) {
      // Some writers put the JPEG marker's name before it.
      exif ??= bytes.subarray(startsWith(bytes, start, 'Exif\0\0') ? start + 6 : start, end)
    }
    at = end + (end % 2)
  }
  if (!hasPicture) throw new RangeError('The picture is cut off.')
  return { ...found, exif, profile, complete: view.getUint32(4, true) + 8 <= bytes.length }
}

/**
 * @param {DataView} view
 * @param {number} at
 */
function uint24(view, at) {
  return view.getUint16(at, true) + 65536 * view.getUint8(at + 2)
}

/**
 * @param {{ height: number, width: number }} found
 * @param {number} height
 * @param {number} width
 */
function enlarge(found, height, width) {
  found.height = Math.max(found.height, height)
  found.width = Math.max(found.width, width)
}

/** @type {typeof readPng} */
function readBmp(view, bytes) {
  const complete = view.getUint32(2, true) <= bytes.length
  if (view.getUint32(14, true) === 12) {
    return { height: view.getUint16(20, true), width: view.getUint16(18, true), complete } // OS/2's
  }
  const height = Math.abs(view.getInt32(22, true)) // negative: rows from top to bottom
  const width = Math.abs(view.getInt32(18, true))
  const saysDensity = view.getUint32(14, true) >= 40
  const density = saysDensity ? densityOf(view.getInt32(42, true), view.getInt32(38, true)) : null
  return { height, width, density, complete }
}

/** As HEIF; where the pixels end is not looked at. @type {typeof readPng} */
function readAvif(view, bytes) {
  return { ...readHeif(view, bytes), complete: true }
}

/**
 * The brands of a `ftyp` box: the major one at 8, compatible ones from 16 on.
 * @param {Uint8Array} bytes
 * @param {string[]} wanted
 */
function hasBrand(bytes, wanted) {
  const end = Math.min(bytes[3], 64) // no file needs more brands
  for (let at = 8; at < end; at += 4) {
    if (wanted.some((brand) => startsWith(bytes, at, brand))) return true
  }
  return false
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {string} text one character a byte
 */
function startsWith(bytes, at, text) {
  if (bytes.length < at + text.length) return false
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}
