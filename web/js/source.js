/** What somebody wants cut out, as a picture that can be decoded. */

import { GossamerError } from './rpc/errors.js'
import { isPicture, kindOf } from './values.js'

/** @typedef {Blob | File | URL | string | ArrayBuffer | Uint8Array | ImageBitmap | ImageData} Source */

/** What a message shows of an address. */
const ADDRESS_LENGTH = 80

/**
 * @param {Source} source
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<{ source: Blob | ImageBitmap | ImageData, name: string }>} `name` is for messages
 */
export async function fetched(source, signal) {
  const picture = await fetchSource(source, signal)
  return { source: picture, name: nameOf(picture) }
}

/** @param {unknown} picture */
export function nameOf(picture) {
  return kindOf(picture) === 'File' ? `“${/** @type {File} */ (picture).name}”` : 'The picture'
}

/**
 * @param {Source} source
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<Blob | ImageBitmap | ImageData>}
 */
async function fetchSource(source, signal) {
  if (isPicture(source)) return source
  if (isBytes(source)) return blobOf(source)
  if (!isAddress(source)) {
    throw new GossamerError(
      'invalid_argument',
      'decode',
      `Expected a Blob, File, URL, ArrayBuffer, Uint8Array, ImageBitmap or ImageData for source, received ${describe(source)}.`,
    )
  }
  try {
    const response = await fetch(source, { signal: signal ?? null })
    if (!response.ok) throw new Error(`the server answered ${response.status}`)
    return await response.blob()
  } catch (error) {
    signal?.throwIfAborted()
    throw new GossamerError(
      'invalid_argument',
      'decode',
      `Expected a picture at ${shortened(String(source))}: ${error instanceof Error ? error.message : error}.`,
    )
  }
}

/** @param {string} address a picture itself, where it is a data: address */
function shortened(address) {
  return address.length > ADDRESS_LENGTH ? `${address.slice(0, ADDRESS_LENGTH)}...` : address
}

/**
 * @param {unknown} source
 * @returns {source is ArrayBuffer | Uint8Array}
 */
function isBytes(source) {
  return ['ArrayBuffer', 'Uint8Array'].includes(kindOf(source))
}

/** @param {ArrayBuffer | Uint8Array} bytes */
function blobOf(bytes) {
  try {
    return new Blob([/** @type {ArrayBuffer} */ (bytes)])
  } catch {
    return new Blob([new Uint8Array(bytes).slice()]) // whose buffer may grow, or other threads share
  }
}

/**
 * @param {unknown} source
 * @returns {source is string | URL}
 */
function isAddress(source) {
  return typeof source === 'string' || kindOf(source) === 'URL'
}

/** @param {unknown} value */
function describe(value) {
  if (value === null || value === undefined) return String(value)
  return value.constructor?.name ?? typeof value
}
