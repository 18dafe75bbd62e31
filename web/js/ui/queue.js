/** The photos of this visit, cut out one after the other. Knows the public API and no DOM. */

import { ProgressMeter } from './progress.js'
import { strings } from './strings.js'

/** @typedef {typeof import('../gossamer.js').removeBackground} RemoveBackground */
/** @typedef {Awaited<ReturnType<RemoveBackground>>} Cutout */
/** @typedef {import('./progress.js').Progress} Progress */
/** @typedef {'waiting' | 'working' | 'done' | 'failed'} PhotoState */

/**
 * @typedef {object} Photo
 * @property {number} id
 * @property {File} file
 * @property {string} name
 * @property {PhotoState} state
 * @property {Progress | null} progress only while at work
 * @property {Cutout | null} result only when done
 * @property {string | null} error words for the person, only when failed
 */

/**
 * @typedef {object} QueueEvents
 * @property {(photo: Photo) => void} onChange after every change of a photo's state or progress
 * @property {(photo: Photo, preview: ImageBitmap) => void} onPreview must close the bitmap
 */

export class PhotoQueue {
  /** @type {Photo[]} */
  #photos = []
  /** @type {{ photo: Photo, meter: ProgressMeter, controller: AbortController } | null} */
  #current = null
  #nextId = 1
  #removeBackground
  #events

  /**
   * @param {RemoveBackground} removeBackground
   * @param {QueueEvents} events
   */
  constructor(removeBackground, events) {
    this.#removeBackground = removeBackground
    this.#events = events
  }

  /** @returns {readonly Photo[]} in the order of arrival */
  get photos() {
    return this.#photos
  }

  /** True while a photo is at work or waits for its turn. */
  get busy() {
    return this.#photos.some(({ state }) => state === 'waiting' || state === 'working')
  }

  /**
   * @param {Iterable<File>} files
   * @returns {Photo[]} the new photos
   */
  add(files) {
    const added = Array.from(files, (file) => this.#newPhoto(file))
    this.#photos.push(...added)
    this.#advance()
    return added
  }

  /** @param {Photo} photo stops its work when it is at work */
  remove(photo) {
    this.#photos = this.#photos.filter((other) => other !== photo)
    if (this.#current?.photo === photo) {
      this.#current.controller.abort()
    }
  }

  /** @param {Photo} photo a failed one; it waits for its turn again */
  retry(photo) {
    if (photo.state !== 'failed') return
    this.#change(photo, { state: 'waiting', error: null })
    this.#advance()
  }

  /**
   * A download that began before the photo came is what the photo waits for.
   * @param {import('./progress.js').StageReport} report of `preload`
   */
  reportPreload(report) {
    if (!this.#current || this.#current.controller.signal.aborted) return
    const { photo, meter } = this.#current
    this.#change(photo, { progress: meter.update(report) })
  }

  /**
   * @param {File} file
   * @returns {Photo}
   */
  #newPhoto(file) {
    const id = this.#nextId++
    return {
      id,
      file,
      name: file.name,
      state: 'waiting',
      progress: null,
      result: null,
      error: null,
    }
  }

  #advance() {
    if (this.#current) return
    const photo = this.#photos.find(({ state }) => state === 'waiting')
    if (!photo) return
    const meter = new ProgressMeter()
    const controller = new AbortController()
    this.#current = { photo, meter, controller }
    this.#work(photo, meter, controller.signal).finally(() => {
      this.#current = null
      this.#advance()
    })
  }

  /**
   * Settles without rejecting: a failure belongs to its photo alone.
   * @param {Photo} photo
   * @param {ProgressMeter} meter
   * @param {AbortSignal} signal aborted exactly when the photo was removed
   */
  async #work(photo, meter, signal) {
    this.#change(photo, { state: 'working', progress: meter.progress })
    try {
      const result = await this.#removeBackground(photo.file, {
        signal,
        onProgress: (report) => {
          if (!signal.aborted) this.#change(photo, { progress: meter.update(report) })
        },
        onPreview: (preview) => {
          if (signal.aborted) preview.close()
          else this.#events.onPreview(photo, preview)
        },
      })
      if (!signal.aborted) this.#change(photo, { state: 'done', progress: null, result })
    } catch (error) {
      if (signal.aborted) return
      this.#change(photo, { state: 'failed', progress: null, error: describe(error, photo.name) })
    }
  }

  /**
   * @param {Photo} photo
   * @param {Partial<Photo>} fields
   */
  #change(photo, fields) {
    Object.assign(photo, fields)
    this.#events.onChange(photo)
  }
}

/**
 * @param {unknown} error a GossamerError says what happened and names the file; others do not
 * @param {string} name
 * @returns {string}
 */
function describe(error, name) {
  if (!(error instanceof Error)) return strings.unexpected(name, String(error))
  return error.name === 'GossamerError' ? error.message : strings.unexpected(name, error.message)
}
