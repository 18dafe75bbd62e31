/**
 * Everything of a visit that outlives the elements on the page: the photos, what is open of them, and
 * which one is looked at. The window is built anew when its language changes.
 */

import * as gossamer from '../gossamer.js'
import { PhotoEditor } from './editor.js'
import { FreshFiles, RESTED_MS } from './fresh-files.js'
import { chosenModel } from './model-words.js'
import { PhotoQueue } from './queue.js'
import { errorWords } from './strings.js'

/** @typedef {import('./queue.js').Photo} Photo */

/**
 * @typedef {object} VisitEvents
 * @property {(photo: Photo) => void} onChange
 * @property {import('./editor.js').EditorEvents['onPreview']} onPreview
 * @property {(words: () => string) => void} onError a photo keeps what it has
 * @property {(photo: Photo, index: number) => void} onPutBack it was removed, and is at that place again
 */

export class Visit {
  /** @type {VisitEvents} whoever shows the visit at present */
  events = {
    onChange: () => {},
    onPreview: (_photo, preview) => preview.close(),
    onError: () => {},
    onPutBack: () => {},
  }
  /** @type {Photo | null} */
  selected = null
  /** @type {'not yet' | 'ready' | 'refused' | 'deleted'} what the next visit needs, on this device */
  kept = 'not yet'

  /** The page is being left on purpose. */
  isLeaving = false
  editor = new PhotoEditor(gossamer.openPhoto, {
    onPreview: (...shown) => this.events.onPreview(...shown),
    onChange: (photo) => this.#changed(photo),
    onError: (photo, error) => this.events.onError(() => errorWords(error, photo.name)),
  })
  queue = new PhotoQueue(gossamer.openPhoto, {
    onChange: (photo) => this.#changed(photo),
    onPreview: (photo, preview) => this.events.onPreview(photo, preview, null, []),
    onDone: (photo, open, made) => this.editor.take(photo, open, made),
    lookSize: (photo) => (photo === this.selected ? this.editor.preview_px : 0),
    makeRoom: () => this.editor.makeRoom(),
    whenFree: () => this.editor.rest.come(),
  })
  /** @type {Map<Photo, string>} object URLs of the files, revoked when the photo is removed */
  #urls = new Map()
  /** @type {Set<Photo | 'all'>} what is being saved */
  #saving = new Set()
  #files = new FreshFiles({
    photos: () => (this.selected ? [this.selected, ...this.queue.photos] : this.queue.photos),
    isFree: () => !this.queue.busy && this.editor.rest.since_ms >= RESTED_MS,
    make: (photo) => this.editor.renew(photo),
  })

  constructor() {
    this.queue.model = chosenModel()
  }

  /** @param {Photo} photo */
  #changed(photo) {
    this.events.onChange(photo)
    this.#files.wake()
  }

  /** @param {Photo} photo after a change of its edits, and perhaps of others' */
  edited(photo) {
    this.editor.changed(photo)
    this.#files.wake()
  }

  /**
   * Who presses again wants it no sooner, and not twice.
   * @param {Photo | 'all'} what
   * @param {() => Promise<void>} save
   */
  async saveOnce(what, save) {
    if (this.#saving.has(what)) return
    this.#saving.add(what)
    try {
      await save()
    } finally {
      this.#saving.delete(what)
    }
  }

  /** @returns {Photo[]} those that can be saved */
  get finished() {
    return this.queue.photos.filter(({ state }) => state === 'done')
  }

  /**
   * Whether something that a person has waited for or changed would be lost with the page. A cut-out as
   * it came is made again in a moment; several are not.
   */
  get hasUnsaved() {
    const { photos, busy } = this.queue
    const isChanged = (/** @type {Photo} */ { edits, savedVersion }) =>
      edits.version !== (savedVersion ?? 0)
    const unsaved = this.finished.filter(({ savedVersion }) => savedVersion === null)
    return busy || this.#saving.size > 0 || unsaved.length > 1 || photos.some(isChanged)
  }

  /** @param {File[]} files */
  add(files) {
    const photos = this.queue.add(files)
    for (const photo of photos) this.#urls.set(photo, URL.createObjectURL(photo.file))
    return photos
  }

  /** @param {Photo} photo */
  urlOf(photo) {
    return this.#urls.get(photo) ?? ''
  }

  /**
   * @param {Photo | null} photo
   * @param {boolean} isDrawn whether its cut-out can be shown without making it again
   */
  select(photo, isDrawn) {
    this.selected = photo
    this.editor.show(photo, isDrawn)
  }

  /**
   * @param {Photo} photo
   * @returns {{ neighbour: Photo | null, putBack: () => void }} no neighbour when it was the last one;
   *   whoever holds `putBack` keeps the photo, its edits and its file in memory, and nobody else does
   */
  remove(photo) {
    const { photos } = this.queue
    const index = photos.indexOf(photo)
    const neighbour = photos[index + 1] ?? photos[index - 1] ?? null
    this.queue.remove(photo)
    this.editor.drop(photo)
    URL.revokeObjectURL(this.urlOf(photo))
    this.#urls.delete(photo)
    return { neighbour, putBack: () => this.#putBack(photo, index) }
  }

  /**
   * @param {Photo} photo
   * @param {number} index
   */
  #putBack(photo, index) {
    this.#urls.set(photo, URL.createObjectURL(photo.file))
    this.queue.putBack(photo, index)
    this.events.onPutBack(photo, index)
  }

  /** @param {Photo} photo from its start, whatever became of it before */
  restart(photo) {
    this.editor.drop(photo)
    this.queue.restart(photo)
    if (photo === this.selected) this.editor.show(photo)
  }
}
