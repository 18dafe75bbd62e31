/**
 * Files that are older than what was asked of their photos are made anew while nobody does anything, so
 * that the strip and the size of the file tell the truth.
 */

import { fileOf } from './file-maker.js'

/** @typedef {import('./queue.js').Photo} Photo */

/** Whoever has changed nothing for so long is looking. */
export const RESTED_MS = 1500

export class FreshFiles {
  #visit
  #timer = 0
  #isAtWork = false
  /** @type {WeakMap<Photo, number>} the edits that no file could be made of: who saves it is told why */
  #failed = new WeakMap()

  /**
   * @param {{
   *   photos: () => Iterable<Photo>,
   *   isFree: () => boolean,
   *   make: (photo: Photo) => Promise<unknown>,
   * }} visit the first of `photos` comes first; `isFree` tells whether nothing else is at work
   */
  constructor(visit) {
    this.#visit = visit
  }

  /** Something has changed. */
  wake() {
    if (!this.#isAtWork) this.#timer ||= setTimeout(() => this.#rested(), RESTED_MS)
  }

  async #rested() {
    this.#timer = 0
    this.#isAtWork = true
    await this.#work()
    this.#isAtWork = false
    if (this.#next()) this.wake()
  }

  async #work() {
    for (let photo = this.#next(); photo && this.#visit.isFree(); photo = this.#next()) {
      const { version } = photo.edits
      try {
        await this.#visit.make(photo)
      } catch (error) {
        if (error instanceof DOMException && error.name === 'AbortError') return // somebody acts
        this.#failed.set(photo, version)
      }
    }
  }

  #next() {
    for (const photo of this.#visit.photos()) {
      const isKnown = this.#failed.get(photo) === photo.edits.version
      if (photo.state === 'done' && !fileOf(photo) && !isKnown) return photo
    }
    return null
  }
}
