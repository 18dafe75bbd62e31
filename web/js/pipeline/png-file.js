/** A PNG file of what was compressed. Format: W3C PNG specification, third edition. */

import { adler32, deflate, joinedAdler32, LAST_BLOCK, ZLIB_HEADER } from './deflate.js'

/** @typedef {import('../rpc/messages.js').PixelChunk} PixelChunk */

const NAME_BYTES = 4
const CRC_POLYNOMIAL = 0xedb88320
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) {
    remainder = (remainder >>> 1) ^ (remainder & 1 ? CRC_POLYNOMIAL : 0)
  }
  return remainder
})

/**
 * @param {Uint8Array} head what comes before the pixels
 * @param {PixelChunk[]} pixels from top to bottom
 * @param {Uint8Array} tail what comes after them
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function pngFile(head, pixels, tail) {
  let sum = 1
  for (const { adler, bytes } of pixels) sum = joinedAdler32(sum, adler, bytes)
  return joined([
    head,
    chunkOf('IDAT', ZLIB_HEADER),
    ...pixels.map(({ chunk }) => chunk),
    chunkOf('IDAT', joined([LAST_BLOCK, bigEndian(sum)])),
    tail,
  ])
}

/**
 * @param {Uint8Array} lines whole scan lines, filtered
 * @returns {PixelChunk}
 */
export function pixelChunk(lines) {
  return { chunk: chunkOf('IDAT', deflate(lines)), adler: adler32(lines), bytes: lines.length }
}

/**
 * @param {string} name
 * @param {Uint8Array} content
 */
function chunkOf(name, content) {
  const named = joined([Uint8Array.from(name, (letter) => letter.charCodeAt(0)), content])
  return joined([bigEndian(named.length - NAME_BYTES), named, bigEndian(crc32(named))])
}

/** @param {Uint8Array} bytes */
function crc32(bytes) {
  let remainder = 0xffffffff
  for (const byte of bytes) remainder = (remainder >>> 8) ^ CRC_TABLE[(remainder ^ byte) & 255]
  return ~remainder >>> 0
}

/** @param {number} value */
function bigEndian(value) {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
