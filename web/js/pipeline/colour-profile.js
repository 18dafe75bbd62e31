/** Whether a colour profile has colours that sRGB has not. Format: ICC.1:2010. */

/**
 * From XYZ under D50, in which profiles give their primaries, to linear sRGB (B. Lindbloom). The
 * same numbers are in `exporter/pictures.py`.
 */
const XYZ_TO_SRGB = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427],
]
/** Red, green and blue of Display P3 under D50, as `pyside_logic/icc.py` writes them. */
const DISPLAY_P3 = [
  [0.51512, 0.2412, -0.00105],
  [0.29198, 0.69225, 0.04189],
  [0.1571, 0.06657, 0.78407],
]
/** What rounding and another way of adapting white make of the same primaries. */
const SAME = 0.005
/** Profiles of printers have 3 MB; a stream of 1 MB may hold 1 GB. */
const MOST_BYTES = 4e6
/** Less red, green or blue than this is not rounding but another colour. */
const OUTSIDE = -0.03

/**
 * @param {Uint8Array<ArrayBuffer>} profile
 * @returns {boolean} false for what is no profile of RGB colours by matrix
 */
export function isWide(profile) {
  return primaries(profile).some((xyz) => srgb(xyz).some((value) => value < OUTSIDE))
}

/**
 * @param {Uint8Array<ArrayBuffer>} profile
 * @returns {boolean} whether its primaries are Display P3's
 */
export function isDisplayP3(profile) {
  const found = primaries(profile).flat()
  return (
    found.length === 9 && DISPLAY_P3.flat().every((value, at) => Math.abs(value - found[at]) < SAME)
  )
}

/** @param {Uint8Array<ArrayBuffer>} profile */
function primaries(profile) {
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength)
  try {
    if (text(view, 16) !== 'RGB ') return []
    return ['rXYZ', 'gXYZ', 'bXYZ'].flatMap((tag) => {
      const xyz = primary(view, tag)
      return xyz ? [xyz] : []
    })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return [] // it is cut off
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} data a zlib stream
 * @returns {Promise<Uint8Array<ArrayBuffer>>} what is in it; nothing, where it is damaged or too large
 */
export async function inflated(data) {
  const reader = inPieces(data).pipeThrough(new DecompressionStream('deflate')).getReader()
  const parts = []
  let bytes = 0
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes += part.value.length
      if (bytes > MOST_BYTES) throw new RangeError('no profile is as large')
      parts.push(part.value)
    }
  } catch {
    await reader.cancel().catch(() => {}) // a damaged stream is closed already
    return new Uint8Array()
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

/**
 * As many bytes at a time as inflate to 4 MB at most: the stream inflates a piece as a whole.
 * @param {Uint8Array<ArrayBuffer>} data
 * @returns {ReadableStream<Uint8Array<ArrayBuffer>>}
 */
function inPieces(data) {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at < data.length) controller.enqueue(data.slice(at, at + 4096))
      else controller.close()
      at += 4096
    },
  })
}

/**
 * @param {DataView} view
 * @param {string} tag
 */
function primary(view, tag) {
  const count = Math.min(view.getUint32(128), 100)
  for (let at = 132; at < 132 + 12 * count; at += 12) {
    if (text(view, at) !== tag) continue
    const start = view.getUint32(at + 4) + 8
    return [0, 4, 8].map((offset) => view.getInt32(start + offset) / 65536)
  }
  return null
}

/** @param {number[]} xyz */
function srgb(xyz) {
  return XYZ_TO_SRGB.map((row) => row.reduce((sum, factor, at) => sum + factor * xyz[at], 0))
}

/**
 * @param {DataView} view
 * @param {number} at
 */
function text(view, at) {
  return String.fromCharCode(...[0, 1, 2, 3].map((offset) => view.getUint8(at + offset)))
}
