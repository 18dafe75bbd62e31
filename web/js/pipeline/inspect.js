/**
 * What a picture file says of itself, before anything decodes it: so that the page shows nothing that
 * would take more memory than the device has. `<img>` and `createImageBitmap` ask nobody.
 */

import { GossamerError } from '../rpc/errors.js'
import { inWords, isBlob } from '../values.js'
import { checkSize, unsupported } from './decode.js'
import { readImageHeader } from './image-header.js'
import { estimateMemory } from './memory.js'

/** @typedef {import('./image-header.js').Format} Format */
/** `memory_bytes`: what it takes while it is cut out, at most. */
/** @typedef {{ format: Format, height: number, width: number, memory_bytes: number }} Inspection */

/** The size stands here in nearly every file; behind it only in JPEGs with much metadata. */
const HEAD_BYTES = 1 << 17

/**
 * @param {Blob} blob
 * @param {string} name for messages
 * @returns {Promise<Inspection>} rejects as decoding would, when it is no picture or too large; the
 *   sides are 0 where the file does not say
 */
export async function inspect(blob, name) {
  if (!isBlob(blob)) {
    const message = `Expected a file or a Blob, received ${inWords(blob)}.`
    throw new GossamerError('invalid_argument', 'decode', message)
  }
  const head = await readHeader(blob.slice(0, HEAD_BYTES))
  const header = head && !head.height ? await readHeader(blob) : head
  if (!header) throw unsupported(name)
  const { format, height, width } = header
  if (height && width) checkSize(header, name)
  return { format, height, width, memory_bytes: estimateMemory(header) }
}

/** @param {Blob} blob */
async function readHeader(blob) {
  return readImageHeader(new Uint8Array(await blob.arrayBuffer()))
}
