/**
 * What HEIC and AVIF files say of their pictures: boxes, which say how long they are, and among them
 * `meta`, which tells of the pictures. Format: ISO/IEC 14496-12 and 23008-12.
 */

/** @typedef {import('./image-header.js').Found} Found */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** Full boxes begin with a version and flags. */
const FULL_BOX = 12

/**
 * @param {DataView} view
 * @param {Bytes} bytes the whole file, or its beginning
 * @returns {Found} throws a RangeError where `meta` is cut off
 */
export function readHeif(view, bytes) {
  /** @type {Found} */
  const found = { height: 0, width: 0, complete: false }
  let end = 0
  for (const box of boxes(view, 0, bytes.length)) {
    end = box.end
    if (box.type !== 'meta') continue
    if (end > bytes.length) throw new RangeError('What is told of the pictures is cut off.')
    const meta = bytes.subarray(0, end)
    findSize(view, meta, box.start, found)
    found.profile ??= profileIn(view, meta, box.start)
    found.exif ??= exifOf(view, bytes, box)
  }
  return { ...found, complete: end === bytes.length }
}

/**
 * @param {DataView} view
 * @param {number} start of the first box
 * @param {number} end of what holds them
 */
function* boxes(view, start, end) {
  for (let at = start; at + 8 <= end; ) {
    const size = view.getUint32(at)
    let next = at + Math.max(8, size)
    if (size === 0) next = end // this box goes to the end, wherever that is
    if (size === 1) next = at + Math.max(16, Number(view.getBigUint64(at + 8)))
    yield { type: typeAt(view, at + 4), start: at, end: next }
    at = next
  }
}

/**
 * The largest `ispe` property is the primary image; tiles and thumbnails are smaller.
 * @param {DataView} view
 * @param {Bytes} meta bytes to the end of a `meta` box
 * @param {number} start of it
 * @param {{ height: number, width: number }} found
 */
function findSize(view, meta, start, found) {
  for (const at of places(view, meta, start, 'ispe')) {
    const [height, width] = [view.getUint32(at + 12), view.getUint32(at + 8)]
    if (height * width > found.height * found.width) Object.assign(found, { height, width })
  }
}

/**
 * The first one; gain maps and depths have none of their own.
 * @param {DataView} view
 * @param {Bytes} meta bytes to the end of a `meta` box
 * @param {number} start of it
 */
function profileIn(view, meta, start) {
  for (const at of places(view, meta, start, 'colr')) {
    if (!['prof', 'rICC'].includes(typeAt(view, at + 4))) continue
    return meta.subarray(at + 8, at - 4 + view.getUint32(at - 4))
  }
  return null
}

/**
 * Where boxes of this type have it written, however deep they lie.
 * @param {DataView} view
 * @param {Bytes} bytes
 * @param {number} start
 * @param {string} type
 */
function* places(view, bytes, start, type) {
  const first = type.charCodeAt(0)
  for (let at = bytes.indexOf(first, start); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + 4 <= bytes.length && typeAt(view, at) === type) yield at
  }
}

/**
 * @param {DataView} view
 * @param {Bytes} bytes
 * @param {{ start: number, end: number }} meta
 * @returns {Bytes | null} null also where it is not in these bytes, or is told of in a way that is not known
 */
function exifOf(view, bytes, meta) {
  try {
    const parts = [...boxes(view, meta.start + FULL_BOX, meta.end)]
    const items = parts.find(({ type }) => type === 'iinf')
    const locations = parts.find(({ type }) => type === 'iloc')
    if (!items || !locations) return null
    const id = exifItem(view, items)
    const item = id === null ? null : locationOf(view, locations.start, id)
    if (!item || item.at + item.length > bytes.length) return null
    // How far behind this number the TIFF structure begins.
    const start = item.at + 4 + view.getUint32(item.at)
    return bytes.subarray(start, item.at + item.length)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return null // the photo itself may be sound
  }
}

/**
 * @param {DataView} view
 * @param {{ start: number, end: number }} items an `iinf` box
 */
function exifItem(view, items) {
  const countBytes = view.getUint8(items.start + 8) === 0 ? 2 : 4
  for (const { start } of boxes(view, items.start + FULL_BOX + countBytes, items.end)) {
    const isLong = view.getUint8(start + 8) > 2
    if (typeAt(view, start + (isLong ? 18 : 16)) !== 'Exif') continue
    return isLong ? view.getUint32(start + 12) : view.getUint16(start + 12)
  }
  return null
}

/**
 * @param {DataView} view
 * @param {number} start of an `iloc` box
 * @param {number} wanted
 * @returns {{ at: number, length: number } | null} of an item that lies in the file in one piece
 */
function locationOf(view, start, wanted) {
  const version = view.getUint8(start + 8)
  const [sizes, moreSizes] = [view.getUint8(start + 12), view.getUint8(start + 13)]
  let at = start + 14
  /** @param {number} bytes 0, 2, 4 or 8 */
  const number = (bytes) => {
    at += bytes
    if (bytes === 8) return Number(view.getBigUint64(at - 8))
    return bytes === 4 ? view.getUint32(at - 4) : bytes === 2 ? view.getUint16(at - 2) : 0
  }
  for (let count = number(version < 2 ? 2 : 4); count > 0; count--) {
    const id = number(version < 2 ? 2 : 4)
    const isElsewhere = version > 0 && number(2) !== 0 // within `meta`, or in another item
    at += 2 // the file that it is in, which is this one
    const base = number(moreSizes >> 4)
    const extents = number(2)
    const indexBytes = version > 0 ? moreSizes & 15 : 0
    if (id === wanted) {
      if (isElsewhere || extents !== 1) return null
      at += indexBytes
      return { at: base + number(sizes >> 4), length: number(sizes & 15) }
    }
    at += extents * (indexBytes + (sizes >> 4) + (sizes & 15))
  }
  return null
}

/**
 * @param {DataView} view
 * @param {number} at
 */
function typeAt(view, at) {
  return String.fromCharCode(...[0, 1, 2, 3].map((offset) => view.getUint8(at + offset)))
}
