/**
 * What a picture file says of itself, before anything decodes it: so that the page shows nothing that
 * would take more memory than the device has. `<img>` and `createImageBitmap` ask nobody.
 */

import { GossamerError } from '../rpc/errors.js'
import { inWords, isBlob } from '../values.js'
import { checkBytes, checkHeader } from './decode.js'
import { readImageHeader } from './image-header.js'
import { estimateMemory } from './memory.js'

/** @typedef {import('./image-header.js').Format} Format */
/** `memory_bytes`: what it takes while it is cut out, at most. */
/** @typedef {{ format: Format, height: number, width: number, memory_bytes: number }} Inspection */

/** The size stands here in nearly every file; else, as behind much metadata, in so many times as much. */
const HEAD_BYTES = 1 << 17
const GROWTH = 16

/**
 * @param {Blob} blob
 * @param {string} name for messages
 * @returns {Promise<Inspection>} rejects as decoding would, when it is no picture or too large
 */
export async function inspect(blob, name) {
  if (!isBlob(blob)) {
    const message = `Expected a file or a Blob, received ${inWords(blob)}.`
    throw new GossamerError('invalid_argument', 'decode', message)
  }
  checkBytes(blob, name)
  const header = checkHeader(await readHeader(blob), blob, name)
  const { format, height, width } = header
  return { format, height, width, memory_bytes: estimateMemory(header) }
}

/** @param {Blob} blob */
async function readHeader(blob) {
  for (let bytes = HEAD_BYTES; ; bytes *= GROWTH) {
    const header = readImageHeader(new Uint8Array(await blob.slice(0, bytes).arrayBuffer()))
    if (!header || header.height || bytes >= blob.size) return header
  }
}
