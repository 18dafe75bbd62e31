/**
 * Files of photos that nobody looks at, each made in an open photo of its own: the one on the stage
 * stays open beside it, and what is done there goes first.
 */

import { Turn } from './turn.js'

/** @typedef {import('./queue.js').Photo} Photo */
/** @typedef {import('./queue.js').Picture} Picture */
/** @typedef {import('../gossamer.js').OpenPhoto} OpenPhoto */

export class FileMaker {
  #openPhoto
  #events
  /** One at a time: each takes the memory of a photo. */
  #turn = new Turn()
  /** @type {AbortController | null} */
  #refining = null

  /**
   * @param {typeof import('../gossamer.js').openPhoto} openPhoto
   * @param {{ whenFree: () => Promise<void>, onChange: (photo: Photo) => void }} events `whenFree`
   *   resolves when the photo on the stage needs nothing
   */
  constructor(openPhoto, events) {
    this.#openPhoto = openPhoto
    this.#events = events
  }

  /**
   * @param {Photo} photo a finished one
   * @returns {Promise<Picture>}
   */
  file(photo) {
    return this.#turn.take(() => this.#made(photo))
  }

  /** What takes longest is begun again later: somebody waits for what is on the stage. */
  giveWay() {
    this.#refining?.abort()
  }

  /** @param {Photo} photo */
  async #made(photo) {
    try {
      return fileOf(photo) ?? (await this.#make(photo))
    } catch (error) {
      if (/** @type {{ code?: string }} */ (error)?.code !== 'worker_died') throw error
      return this.#make(photo) // all that is lost with a worker can be made again
    }
  }

  /** @param {Photo} photo */
  async #make(photo) {
    await this.#events.whenFree()
    const { file, matte } = photo
    const { strokes, refine, output, version } = photo.edits
    const open = await this.#openPhoto(file, matte ? { matte } : {})
    try {
      if (strokes.length > 0) await open.touchUp(strokes)
      await this.#refine(open, refine)
      await this.#events.whenFree()
      const picture = await open.encode(output)
      if (keepFile(photo, picture, version, open.isEmpty)) this.#events.onChange(photo)
      return picture
    } finally {
      open.close()
    }
  }

  /**
   * @param {OpenPhoto} open
   * @param {import('../gossamer.js').RefineOptions} refine
   */
  async #refine(open, refine) {
    for (;;) {
      await this.#events.whenFree()
      const controller = new AbortController()
      const { signal } = controller
      this.#refining = controller
      try {
        return await open.refine(refine, { signal })
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        this.#refining = null
      }
    }
  }
}

/** @param {Photo} photo @returns {Picture | null} what it has, unless that is older than its edits */
export function fileOf({ result, fileVersion, edits }) {
  return fileVersion === edits.version ? result : null
}

/**
 * @param {Photo} photo
 * @param {Picture} picture
 * @param {number} version of the edits that it was made with
 * @param {boolean} isEmpty
 * @returns {boolean} false where the photo has a newer one, or has begun again meanwhile
 */
export function keepFile(photo, picture, version, isEmpty) {
  if (photo.state !== 'done' || version < photo.fileVersion) return false
  photo.result = picture
  photo.fileVersion = version
  photo.isEmpty = isEmpty
  return true
}
