/** The photos of this visit, cut out one after the other. Knows the public API and no DOM. */

import { newEdits } from './edits.js'
import { ProgressMeter } from './progress.js'

/** @typedef {typeof import('../gossamer.js').openPhoto} OpenPhotoCall */
/** @typedef {import('../gossamer.js').OpenPhoto} OpenPhoto */
/** @typedef {import('../gossamer.js').Matte} Matte */
/** @typedef {import('../gossamer.js').Subject} Subject */
/** @typedef {import('../gossamer.js').Stroke} Stroke */
/** @typedef {import('./edits.js').Edits} Edits */
/** @typedef {import('./progress.js').Progress} Progress */
/** @typedef {'waiting' | 'working' | 'done' | 'failed' | 'stopped'} PhotoState */
/** @typedef {{ height: number, width: number }} Size in px */
/** @typedef {Size & { blob: Blob }} Picture */

/**
 * @typedef {object} Photo
 * @property {number} id
 * @property {File} file
 * @property {string} name
 * @property {PhotoState} state
 * @property {Size | null} size once it is open
 * @property {Progress | null} progress only while at work, or again at work for long
 * @property {Picture | null} result its last file, once it is done
 * @property {unknown} error why it failed, only then
 * @property {Matte | null} matte what the network found, once it is done
 * @property {boolean} isEmpty whether nothing of it is in its cut-out
 * @property {number | null} confidence of the network in what it has found, in [0, 1]
 * @property {Subject[]} subjects that stand apart in it
 * @property {string | null} model whose edges it has, where a person left the choice to the app
 * @property {OpenPhoto['engine']} engine that ran the network
 * @property {Edits} edits
 * @property {number} shownVersion of the edits that the stage shows
 * @property {number | null} savedVersion of the edits that a person has a file or a copy of
 * @property {number} fileVersion of the edits that `result` was made with
 */

/**
 * @typedef {object} QueueEvents
 * @property {(photo: Photo) => void} onChange after every change of a photo's state or progress
 * @property {(photo: Photo, preview: ImageBitmap) => void} onPreview must close the bitmap
 * @property {(photo: Photo, open: OpenPhoto, made: { edgesVersion: number, strokes: Stroke[] }) => void}
 *   onDone takes the photo, still open, and closes it; `made` tells which edits its alpha has
 * @property {(photo: Photo) => number} lookSize longer side of a first look at the photo, in px; 0
 *   where nobody sees it
 * @property {() => Promise<boolean>} makeRoom closes another open photo; tells whether there was one
 * @property {() => Promise<void>} whenFree resolves when nobody is moving the edges of another photo
 */

/**
 * @typedef {{
 *   model: string,
 *   signal: AbortSignal,
 *   onProgress: (report: import('./progress.js').StageReport) => void,
 * }} Call
 */

/** What no photo is to blame for: a part did not arrive, does not run here, or was stopped. */
const NO_PHOTOS_FAULT = ['model_unavailable', 'model_corrupt', 'backend_unavailable', 'worker_died']

/** A photo whose sides are fewer times those of a first look is refined nearly as fast. */
const WORTH_A_LOOK = 4

export class PhotoQueue {
  /** @type {Photo[]} */
  #photos = []
  /** @type {{ photo: Photo, meter: ProgressMeter, controller: AbortController } | null} */
  #current = null
  /** @type {Promise<void> | null} */
  #working = null
  #nextId = 1
  #openPhoto
  #events

  /** The network that finds the subject; 'auto' is the site's own choice. */
  model = 'auto'

  /**
   * @param {OpenPhotoCall} openPhoto
   * @param {QueueEvents} events
   */
  constructor(openPhoto, events) {
    this.#openPhoto = openPhoto
    this.#events = events
  }

  /** @returns {readonly Photo[]} in the order of arrival */
  get photos() {
    return this.#photos
  }

  /** Resolves when no photo is at work or waits for its turn. */
  async idle() {
    while (this.#working) await this.#working
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

  /**
   * @param {Photo} photo that was removed; what was at work begins again
   * @param {number} index its place in the list
   */
  putBack(photo, index) {
    this.#photos.splice(index, 0, photo)
    if (photo.state === 'working') this.#change(photo, { state: 'waiting', progress: null })
    this.#advance()
  }

  /** @param {Photo} photo one that waits or is at work; it stays in the list */
  stop(photo) {
    if (photo.state !== 'waiting' && photo.state !== 'working') return
    if (this.#current?.photo === photo) this.#current.controller.abort()
    this.#change(photo, { state: 'stopped', progress: null })
  }

  /**
   * @param {Photo} photo one that is not at work; it waits for its turn again, and where no photo was
   *   to blame for its failure, so do all that have failed like it
   */
  restart(photo) {
    if (photo.state === 'waiting' || photo.state === 'working') return
    if (isBlameless(photo)) this.restartBlameless()
    else this.#beginAgain([photo])
  }

  /** All that have failed without being to blame wait for their turn again. */
  restartBlameless() {
    this.#beginAgain(this.#photos.filter(isBlameless))
  }

  /** @param {Photo[]} photos */
  #beginAgain(photos) {
    const change = {
      error: null,
      result: null,
      matte: null,
      isEmpty: false,
      confidence: null,
    }
    for (const photo of photos) this.#change(photo, { state: 'waiting', ...change })
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
      size: null,
      progress: null,
      result: null,
      error: null,
      matte: null,
      isEmpty: false,
      confidence: null,
      subjects: [],
      model: null,
      engine: null,
      edits: newEdits(),
      shownVersion: 0,
      savedVersion: null,
      fileVersion: -1,
    }
  }

  #advance() {
    if (this.#current) return
    const photo = this.#photos.find(({ state }) => state === 'waiting')
    if (!photo) return
    const meter = new ProgressMeter()
    const controller = new AbortController()
    this.#current = { photo, meter, controller }
    this.#working = this.#work(photo, meter, controller.signal).finally(() => {
      this.#current = this.#working = null
      this.#advance()
    })
  }

  /**
   * Settles without rejecting: a failure belongs to its photo alone.
   * @param {Photo} photo
   * @param {ProgressMeter} meter
   * @param {AbortSignal} signal aborted when the photo was removed or stopped
   */
  async #work(photo, meter, signal) {
    this.#change(photo, { state: 'working', progress: meter.progress })
    /** @param {import('./progress.js').StageReport} report */
    const onProgress = (report) => {
      if (!signal.aborted) this.#change(photo, { progress: meter.update(report) })
    }
    const { model } = this
    await null // whoever adds photos goes on to say which one is looked at
    const call = { model, signal, onProgress }
    try {
      await this.#cutOut(photo, call).catch(async (error) => {
        // Two are too much, and the other one can be opened again.
        if (error?.code !== 'out_of_memory' || !(await this.#events.makeRoom())) throw error
        await this.#cutOut(photo, call)
      })
    } catch (error) {
      if (signal.aborted) return
      this.#change(photo, { state: 'failed', progress: null, error })
    }
  }

  /**
   * @param {Photo} photo
   * @param {Call} call
   */
  async #cutOut(photo, call) {
    const open = await this.#openPhoto(photo.file, call)
    try {
      await this.#finish(photo, open, call)
    } catch (error) {
      open.close()
      throw error
    }
  }

  /**
   * @param {Photo} photo
   * @param {OpenPhoto} open
   * @param {Call} call
   */
  async #finish(photo, open, { model, signal, onProgress }) {
    await this.#events.whenFree()
    const { refine, strokes, version, edgesVersion } = photo.edits
    this.#change(photo, { size: { height: open.height, width: open.width } })
    const look = once(() => this.#showLook(photo, open, signal))
    if (isWorthALook(open, this.#events.lookSize(photo))) await look()
    const picked = model === 'auto' ? await open.askSpecialists({ onAsk: look }) : null
    if (strokes.length > 0) await open.touchUp(strokes) // of its first time
    const subjects = await open.subjects()
    await open.refine(refine, {
      signal,
      onProgress,
      onPreview: (preview) => {
        if (signal.aborted) preview.close()
        else this.#events.onPreview(photo, preview)
      },
    })
    await this.#events.whenFree()
    onProgress({ stage: 'encode', done: 0, total: 1 })
    const result = await firstFile(photo, open, signal)
    signal.throwIfAborted()
    const { matte, engine, isEmpty, confidence } = open
    this.#change(photo, {
      state: 'done',
      progress: null,
      result,
      matte,
      isEmpty,
      confidence,
      subjects,
      model: picked,
      engine,
      shownVersion: version,
      fileVersion: version,
    })
    this.#events.onDone(photo, open, { edgesVersion, strokes })
  }

  /**
   * A first look, of the size of the screen.
   * @param {Photo} photo
   * @param {OpenPhoto} open
   * @param {AbortSignal} signal
   */
  async #showLook(photo, open, signal) {
    const longest_px = this.#events.lookSize(photo)
    if (longest_px) await this.#showPreview(photo, open, photo.edits.refine, longest_px, signal)
  }

  /**
   * @param {Photo} photo
   * @param {OpenPhoto} open
   * @param {import('../gossamer.js').RefineOptions} refine
   * @param {number} longest_px
   * @param {AbortSignal} signal
   */
  async #showPreview(photo, open, refine, longest_px, signal) {
    const preview = await open.preview(refine, longest_px, { signal })
    if (signal.aborted) preview.close()
    else this.#events.onPreview(photo, preview)
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

/** @param {Photo} photo */
function isBlameless({ state, error }) {
  const { code = '' } = /** @type {{ code?: string }} */ (error ?? {})
  return state === 'failed' && NO_PHOTOS_FAULT.includes(code)
}

/**
 * Where its format cannot hold it, as WebP a long panorama, a PNG: who has no cut-out yet can choose no
 * other one.
 * @param {Photo} photo
 * @param {OpenPhoto} open
 * @param {AbortSignal} signal
 */
async function firstFile({ edits }, open, signal) {
  const { type, ...others } = edits.output
  try {
    return await open.encode(edits.output, { signal })
  } catch (error) {
    const isRefused = /** @type {{ code?: string }} */ (error)?.code === 'invalid_argument'
    if (!type || !isRefused) throw error
    edits.output = others
    return open.encode(others, { signal })
  }
}

/**
 * Whether refining all of a photo takes much longer than a first look of this size.
 * @param {OpenPhoto} open
 * @param {number} longest_px 0 where nobody looks at it
 */
function isWorthALook({ height, width }, longest_px) {
  return longest_px > 0 && Math.max(height, width) >= WORTH_A_LOOK * longest_px
}

/**
 * @param {() => Promise<void>} act
 * @returns {() => Promise<void>}
 */
function once(act) {
  /** @type {Promise<void> | null} */
  let acting = null
  return () => {
    acting ??= act()
    return acting
  }
}
