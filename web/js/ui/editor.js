/**
 * The photo on the stage, kept open while its edges change: a quick preview for every change, the
 * whole photo when the changes rest, a file when one is wanted. Knows the public API and no DOM.
 */

import { isComposed } from './edits.js'
import { FileMaker, fileOf, keepFile } from './file-maker.js'
import { PreviewSize } from './preview-size.js'
import { pause, Rest } from './rest.js'
import { told } from './slow-work.js'
import { Turn } from './turn.js'

/** @typedef {import('./queue.js').Photo} Photo */
/** @typedef {import('./queue.js').Picture} Picture */
/** @typedef {typeof import('../gossamer.js').openPhoto} OpenPhotoCall */
/** @typedef {import('../gossamer.js').OpenPhoto} OpenPhoto */
/** @typedef {import('../gossamer.js').Stroke} Stroke */

/**
 * `edgesVersion` and `strokes` are those that the photo's alpha and matte have now.
 * @typedef {{ photo: Photo, open: OpenPhoto, edgesVersion: number, strokes: Stroke[] }} Kept
 */

/**
 * @typedef {object} EditorEvents
 * @property {(photo: Photo, preview: ImageBitmap, file: Size | null, strokes: Stroke[]) => void}
 *   onPreview must close the bitmap, which has these strokes; `file` is the size of the file that it
 *   shows, null for the cut-out itself
 * @property {(photo: Photo) => void} onChange a new file is in `photo.result`, or a subject was taken
 *   out or back in
 * @property {(photo: Photo, error: unknown) => void} onError
 */

/** @typedef {import('./queue.js').Size} Size */

export class PhotoEditor {
  /** Longer side of a preview, where the device is quick enough. */
  preview_px = 1000
  /** While somebody paints, the cut-out is shown and not the file that will be made of it. */
  isPainting = false
  /** Of a person's hands, so that other work is not in their way. */
  rest = new Rest()

  #openPhoto
  #events
  /** For all photos but the one on the stage. */
  #others
  /** @type {Photo | null} */
  #shown = null
  /** How often the stage had to be drawn from nothing. */
  #drawing = 0
  /** Whether its file was to be seen, at the last change. */
  #showedFile = false
  /** @type {Kept | null} */
  #kept = null
  /** One user of the open photo at a time: what is encoded must be what was refined. */
  #turn = new Turn()
  #previewSize = new PreviewSize()
  /** @type {AbortController | null} */
  #refining = null
  /** @type {Promise<void> | null} */
  #following = null
  /** Of what is in turn. @type {(report: import('./progress.js').StageReport) => void} */
  #report = () => {}

  /**
   * @param {OpenPhotoCall} openPhoto
   * @param {EditorEvents} events
   */
  constructor(openPhoto, events) {
    this.#openPhoto = openPhoto
    this.#events = events
    this.#others = new FileMaker(openPhoto, {
      whenFree: () => this.#whenFree(),
      onChange: (photo) => this.#events.onChange(photo),
    })
  }

  /**
   * @param {Photo | null} photo the one that a person sees
   * @param {boolean} [isDrawn] whether its cut-out is there to be seen, or has to be made again
   */
  show(photo, isDrawn = true) {
    if (photo !== this.#shown) this.#refining?.abort()
    this.#shown = photo
    this.#showedFile = photo !== null && this.#showsFile(photo)
    if (photo?.state !== 'done') return
    if (!isDrawn) {
      photo.shownVersion = -1
      this.#drawAnew()
    }
    if (!isStale(photo)) return
    this.#others.giveWay()
    this.#follow()
  }

  /** What is on the stage has to go, or is gone: what is made at present does not count. */
  #drawAnew() {
    this.#drawing++
    if (this.#kept) this.#kept.edgesVersion = -1
  }

  /**
   * A photo that was cut out just now: kept when it is shown, closed when it is not.
   * @param {Photo} photo
   * @param {OpenPhoto} open
   * @param {{ edgesVersion: number, strokes: Stroke[] }} made what its alpha has
   */
  take(photo, open, made) {
    this.#turn.take(async () => {
      if (photo !== this.#shown) return open.close()
      this.#kept?.open.close()
      this.#kept = { photo, open, ...made }
      if (isStale(photo)) this.#follow()
      else this.#makeReady(open, photo)
    })
  }

  /**
   * What the first preview makes for later ones is made before anybody touches a control.
   * @param {OpenPhoto} open
   * @param {Photo} photo
   */
  async #makeReady(open, photo) {
    try {
      const preview = await open.preview(photo.edits.refine, this.preview_px)
      preview.close()
      this.#previewSize.made(this.preview_px)
    } catch {
      // closed since, or a worker that was stopped: who needs a preview learns of it then
    }
  }

  /** @param {Photo} photo removed, or about to be cut out anew */
  drop(photo) {
    if (photo === this.#shown) {
      this.#refining?.abort()
      this.#shown = null
    }
    this.#turn.take(async () => {
      if (this.#kept?.photo === photo) await this.#close()
    })
  }

  /**
   * For a photo that has no room beside the one that is open, which is opened again when it is needed.
   * @returns {Promise<boolean>} whether there was one
   */
  makeRoom() {
    return this.#turn.take(async () => {
      const wasOpen = this.#kept !== null
      await this.#close()
      return wasOpen
    })
  }

  /** @param {Photo} photo after a change of its edits */
  changed(photo) {
    this.rest.disturb()
    if (photo !== this.#shown || photo.state !== 'done') return
    const showsFile = this.#showsFile(photo)
    if (this.#showedFile && !showsFile) this.#drawAnew()
    this.#showedFile = showsFile
    this.#refining?.abort()
    this.#others.giveWay()
    this.#follow()
  }

  /** Resolves when nobody is moving anything, and the stage shows what was asked for. */
  async #whenFree() {
    do {
      await this.rest.come()
      await this.#following
      await this.#turn.over()
    } while (this.#following || this.rest.left_ms > 0)
  }

  /**
   * @param {Photo} photo a finished one
   * @returns {Promise<Picture>} its file, made anew where the last one is older than the edits
   */
  async file(photo) {
    const file = fileOf(photo)
    if (file) return file
    if (photo !== this.#shown && photo !== this.#kept?.photo) return this.#fileOfOther(photo)
    this.#others.giveWay()
    return this.#turn.take(
      async () => fileOf(photo) ?? this.#told(photo, (kept) => this.#encode(kept)),
    )
  }

  /**
   * The same for nobody in particular: rejects with an AbortError as soon as the photo is changed.
   * @param {Photo} photo a finished one
   */
  async renew(photo) {
    if (photo !== this.#shown && photo !== this.#kept?.photo) return this.#others.file(photo)
    return this.#turn.take(async () => {
      const controller = new AbortController()
      this.#refining = controller
      try {
        await this.#retried(photo, (kept) => this.#encode(kept, controller.signal))
      } finally {
        this.#refining = null
      }
    })
  }

  /** @param {Photo} photo */
  async #fileOfOther(photo) {
    try {
      return await this.#others.file(photo)
    } catch (error) {
      if (/** @type {{ code?: string }} */ (error)?.code !== 'out_of_memory') throw error
      await this.#turn.take(() => this.#close()) // two are too much, and this one can be opened again
      return this.#others.file(photo)
    }
  }

  /**
   * @param {Photo} photo a finished one
   * @returns {Promise<Blob>} a PNG of it, whatever its own format is
   */
  async asPng(photo) {
    this.#others.giveWay()
    return this.#turn.take(() =>
      this.#told(photo, async (kept) => {
        await this.#refine(kept)
        this.#report({ stage: 'encode', done: 0, total: 1 })
        const { type: _type, quality: _quality, embed: _embed, ...output } = photo.edits.output
        return (await kept.open.encode(output)).blob
      }),
    )
  }

  /** Goes after the edits until the photo on the stage is as they say. */
  #follow() {
    this.#following ??= this.#run().finally(() => {
      this.#following = null
    })
  }

  async #run() {
    let previewed = ''
    while (this.#shown && isStale(this.#shown)) {
      const photo = this.#shown
      const { edgesVersion, version } = photo.edits
      const wanted = this.#showsFile(photo) ? `file ${version}` : `cut-out ${edgesVersion}`
      try {
        if (previewed !== wanted && (this.#showsFile(photo) || needsRefine(photo, this.#kept))) {
          await this.#turn.take(() => this.#told(photo, (kept) => this.#drawPreview(kept)))
          previewed = wanted
        } else if (this.rest.left_ms > 0) {
          await pause(Math.min(this.rest.left_ms, 50))
        } else {
          await this.#turn.take(() => this.#told(photo, (kept) => this.#finish(kept)))
        }
      } catch (error) {
        if (isAbort(error) || photo !== this.#shown) continue // something newer is wanted
        if (photo.edits.version !== version) continue
        this.#events.onError(photo, error)
        return
      }
    }
  }

  /** @param {Kept} kept */
  async #drawPreview(kept) {
    this.#report({ stage: 'refine', done: 0, total: 1 })
    await this.#touchUp(kept)
    const { photo } = kept
    const startedAt_ms = performance.now()
    const longest_px = this.#previewSize.of(this.preview_px)
    const { refine, output } = photo.edits
    const showsFile = this.#showsFile(photo)
    const { preview, ...size } = showsFile
      ? await kept.open.previewFile(refine, output, longest_px)
      : { preview: await kept.open.preview(refine, longest_px) }
    if (this.#showsFile(photo) !== showsFile) return preview.close()
    this.#previewSize.made(longest_px, performance.now() - startedAt_ms)
    this.#events.onPreview(photo, preview, 'height' in size ? size : null, kept.strokes)
  }

  /** @param {Photo} photo whether its file is what a person sees of it */
  #showsFile({ edits }) {
    return isComposed(edits.output) && !this.isPainting
  }

  /**
   * The whole photo; its file too where that is what has changed.
   * @param {Kept} kept
   */
  async #finish(kept) {
    const { photo } = kept
    const controller = new AbortController()
    this.#refining = controller
    const edgesChanged = kept.edgesVersion !== photo.edits.edgesVersion
    const drawing = this.#drawing
    try {
      await this.#refine(kept, controller.signal)
    } finally {
      this.#refining = null
    }
    if (!edgesChanged || this.#showsFile(photo)) await this.#encode(kept)
    else if (drawing === this.#drawing) photo.shownVersion = photo.edits.version
  }

  /**
   * @param {Kept} kept
   * @param {AbortSignal} [signal]
   */
  async #encode(kept, signal) {
    await this.#refine(kept, signal)
    const { photo, open } = kept
    const { version } = photo.edits
    const drawing = this.#drawing
    this.#report({ stage: 'encode', done: 0, total: 1 })
    const picture = await open.encode(photo.edits.output, { signal })
    if (!keepFile(photo, picture, version, open.isEmpty)) return picture
    if (drawing === this.#drawing) photo.shownVersion = version
    this.#events.onChange(photo)
    return picture
  }

  /**
   * @param {Kept} kept
   * @param {AbortSignal} [signal]
   */
  async #refine(kept, signal) {
    const { photo, open } = kept
    const { edgesVersion, refine } = photo.edits
    if (kept.edgesVersion === edgesVersion) return
    const drawing = this.#drawing
    kept.edgesVersion = -1 // until it is whole
    await this.#touchUp(kept)
    const onPreview = (/** @type {ImageBitmap} */ preview) => {
      this.#events.onPreview(photo, preview, null, kept.strokes)
    }
    const onProgress = this.#report
    onProgress({ stage: 'refine', done: 0, total: 1 })
    const call = { signal, onProgress }
    await open.refine(refine, this.#showsFile(photo) ? call : { ...call, onPreview })
    if (drawing === this.#drawing) kept.edgesVersion = edgesVersion
    if (photo.isEmpty === open.isEmpty || photo.state !== 'done') return
    photo.isEmpty = open.isEmpty
    this.#events.onChange(photo)
  }

  /** @param {Kept} kept */
  async #touchUp(kept) {
    const { photo, open } = kept
    const { strokes } = photo.edits
    if (strokes.length === 0 && kept.strokes.length === 0) return
    await open.touchUp(strokes)
    kept.strokes = strokes
    if (photo.subjects.length < 2) return
    photo.subjects = await open.subjects()
    this.#events.onChange(photo)
  }

  /**
   * What a person waits for, as `#retried`.
   * @template T
   * @param {Photo} photo
   * @param {(kept: Kept) => Promise<T>} run
   * @returns {Promise<T>}
   */
  #told(photo, run) {
    return told(photo, this.#events.onChange, async (report) => {
      this.#report = report
      try {
        return await this.#retried(photo, run)
      } finally {
        this.#report = () => {}
      }
    })
  }

  /**
   * Once more when the worker was stopped: all that is lost with it can be made again.
   * @template T
   * @param {Photo} photo
   * @param {(kept: Kept) => Promise<T>} run
   * @returns {Promise<T>}
   */
  async #retried(photo, run) {
    try {
      return await run(await this.#opened(photo))
    } catch (error) {
      if (/** @type {{ code?: string }} */ (error)?.code !== 'worker_died') throw error
      this.#kept = null
      return run(await this.#opened(photo))
    }
  }

  /**
   * @param {Photo} photo
   * @returns {Promise<Kept>}
   */
  async #opened(photo) {
    if (this.#kept?.photo === photo) return this.#kept
    await this.#close()
    const { matte } = photo
    const onProgress = this.#report
    const open = await this.#openPhoto(photo.file, matte ? { matte, onProgress } : { onProgress })
    this.#kept = { photo, open, edgesVersion: -1, strokes: [] }
    return this.#kept
  }

  async #close() {
    this.#kept?.open.close()
    this.#kept = null
  }
}

/** @param {Photo} photo whether the stage shows less than its edits say */
function isStale(photo) {
  return photo.state === 'done' && photo.shownVersion !== photo.edits.version
}

/**
 * @param {Photo} photo
 * @param {Kept | null} kept
 */
function needsRefine(photo, kept) {
  return kept?.photo !== photo || kept.edgesVersion !== photo.edits.edgesVersion
}

/** @param {unknown} error */
function isAbort(error) {
  return error instanceof DOMException && error.name === 'AbortError'
}
