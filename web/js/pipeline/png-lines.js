/**
 * The scan lines of a PNG, which Python filters (`pyside_logic/png.py`), compressed in a worker while
 * Python is at the next ones.
 */

import { assetUrl } from '../assets.js'
import { WorkerClient } from '../rpc/client.js'
import { pixelChunk, pngFile } from './png-file.js'

/** @typedef {import('../rpc/messages.js').PixelChunk} PixelChunk */

/** @type {WorkerClient<import('../rpc/messages.js').DeflateCalls>} */
export const deflateWorker = new WorkerClient(
  () => assetUrl('js/workers/deflate-worker.js'),
  'part that compresses files',
)

/** Of so many parts one is compressed here: filtering takes less time than compressing. */
const SHARE = 2
/** What waits for the worker takes memory, which a large picture is short of. */
const MOST_WAITING_BYTES = 32 << 20
/** A worker that has not even been found by then, as on a site that has fallen silent, is given up. */
const LIMIT_MS = 10_000

export class PngLines {
  /** @type {(PixelChunk | Promise<PixelChunk>)[]} */
  #chunks = []
  #waiting_bytes = 0
  /** @type {Uint8Array<ArrayBuffer> | null} */
  #last = null

  /** @param {Uint8Array<ArrayBuffer>} lines whole ones, from top to bottom, which are given away */
  add(lines) {
    if (this.#last) this.#chunks.push(this.#compressed(this.#last))
    this.#last = lines
  }

  /**
   * @param {Uint8Array} head of the file, what comes before the pixels
   * @param {Uint8Array} tail what comes after them
   * @returns {Promise<Uint8Array<ArrayBuffer> | null>} the file; null where the worker has failed
   */
  async finish(head, tail) {
    // Here: a small picture needs no worker for it, and a large one's is busy.
    if (this.#last) this.#chunks.push(pixelChunk(this.#last))
    const limit = setTimeout(() => deflateWorker.end('gave no answer', 'hung'), LIMIT_MS)
    try {
      return pngFile(head, await Promise.all(this.#chunks), tail)
    } catch {
      return null
    } finally {
      clearTimeout(limit)
    }
  }

  /** @param {Uint8Array<ArrayBuffer>} lines */
  #compressed(lines) {
    const isOurs = this.#chunks.length % SHARE === SHARE - 1
    const fits = this.#waiting_bytes + lines.length <= MOST_WAITING_BYTES
    // In Safari 15.4 workers have none.
    if (isOurs || !fits || !globalThis.Worker) return pixelChunk(lines)
    this.#waiting_bytes += lines.length
    const chunk = deflateWorker.call('deflate', { lines }, 'encode', { transfer: [lines.buffer] })
    chunk.catch(() => {}) // `finish` tells
    return chunk
  }
}
