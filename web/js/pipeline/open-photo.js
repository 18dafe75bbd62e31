/**
 * A photo whose pixels and matte stay in the Python worker, so that other edges or another file need
 * neither a decoder nor a network.
 */

import { GossamerError } from '../rpc/errors.js'
import { release } from '../rpc/release.js'
import { isBlob, isPicture, requireCall } from '../values.js'
import { inferenceWorker, pythonWorker } from './workers.js'

/** @typedef {import('../rpc/messages.js').EncodedContent} EncodedContent */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('../rpc/messages.js').FilePreview} FilePreview */
/** @typedef {import('../rpc/messages.js').Matte} Matte */
/** @typedef {import('../rpc/messages.js').OutputOptions} OutputOptions */
/** @typedef {import('../rpc/messages.js').Photo} Photo */
/** @typedef {import('../rpc/messages.js').PhotoFile} PhotoFile */
/** @typedef {import('../rpc/messages.js').Progress} Progress */
/** @typedef {import('../rpc/messages.js').RefineOptions} RefineOptions */
/** @typedef {import('../rpc/messages.js').Stroke} Stroke */
/** @typedef {import('../rpc/messages.js').Subject} Subject */

/**
 * @typedef {{
 *   precise?: boolean,
 *   signal?: AbortSignal | undefined,
 *   onProgress?: ((progress: Progress) => void) | undefined,
 *   onPreview?: ((preview: ImageBitmap) => void) | undefined,
 * }} RefineCall
 *
 * - `precise`: keeps alpha in 16 bits too, for a file of that depth.
 */

/** @typedef {{ blob: Blob, height: number, width: number }} Picture */
/** @typedef {{ model: string, engine: Engine | null, matte: Matte }} Found */

/**
 * @typedef {(onAsk?: () => Promise<void>) => Promise<Found | null>} Ask null where no other network
 *   has found it better; `onAsk` is awaited before one is asked
 */

/** Null is as good as nothing for each argument of these methods, as in the functions of the API. */
export class OpenPhoto {
  #askSpecialists
  #isClosed = false
  /** @type {RefineOptions} of the last `refine` that has not failed */
  #options = {}
  #isPrecise = false
  /** Whether alpha is of the matte as it is now. */
  #isRefined = false
  /** Whether the last `refine` has left nothing of the photo. */
  isEmpty = false
  /**
   * The file of the picture behind, as small as the last preview wanted it.
   * @type {{ source: Blob, longest_px: number, photo: Photo } | null}
   */
  #smallBackdrop = null

  /**
   * @param {{
   *   handle: number,
   *   height: number,
   *   width: number,
   *   file: PhotoFile,
   *   matte: Matte,
   *   confidence?: number | null,
   *   askSpecialists?: Ask,
   * } & Found} opened `engine` is null when the matte was given and no network ran
   */
  constructor({ handle, height, width, file, confidence = null, askSpecialists, ...found }) {
    /** Of the pipeline: names the photo in Python. */
    this.handle = handle
    this.#askSpecialists = askSpecialists
    this.file = file
    this.height = height
    this.width = width
    this.matte = found.matte
    this.model = found.model
    this.engine = found.engine
    this.backend = found.engine?.backend ?? null
    /** How sure the network that has found the subject is of it, in [0, 1]; null where none has. */
    this.confidence = confidence
  }

  /**
   * For a photo that was opened with the model 'auto': shows it to the networks of this site that
   * know some subjects better, people for example, as far as `preloadSpecialists` has started them on
   * this page. The edges of one that agrees on the subject are taken; where none does, or one
   * fails, all stays as it is. The `signal` and `onProgress` of `openPhoto` are told.
   * @param {{ onAsk?: () => Promise<void> }} [call] `onAsk` is awaited before that, where there is one
   *   to ask: it takes seconds
   * @returns {Promise<string>} the network whose edges it has now
   */
  async askSpecialists(call = {}) {
    requireCall(call ?? {})
    const { onAsk } = call ?? {}
    this.#opened('refine')
    const better = await this.#askSpecialists?.(onAsk)
    this.#askSpecialists = undefined // once is enough
    if (better) {
      this.#isRefined = false
      this.matte = better.matte
      this.model = better.model
      this.engine = better.engine
      this.backend = better.engine?.backend ?? null
    }
    return this.model
  }

  /**
   * Makes the alpha anew, at the photo's size.
   * @param {RefineOptions} [options]
   * @param {RefineCall} [call] the receiver of `onPreview` closes the bitmap
   */
  async refine(options = {}, call = {}) {
    requireCall(call ?? {})
    const { precise = false, signal, onProgress, onPreview } = call ?? {}
    const handle = this.#opened('refine')
    const wanted = options ?? {}
    const former = this.#options
    // What is asked for from now on comes after this, also for who does not await it.
    this.#options = wanted
    this.#isRefined = true
    const request = { handle, options: wanted, preview: Boolean(onPreview), precise }
    try {
      const refined = await pythonWorker.call('refine', request, 'refine', { signal, onProgress })
      this.isEmpty = refined.isEmpty
      this.#isPrecise ||= precise
      if (refined.preview) onPreview?.(refined.preview)
    } catch (error) {
      this.#isRefined = false // alpha may have been written in part
      if (this.#options === wanted) this.#options = former
      throw error
    }
  }

  /**
   * What `refine` would make, at the size of a screen and in a fraction of the time. It changes
   * nothing: what `encode` writes was made by `refine`.
   * @param {RefineOptions} options as of `refine`, in pixels of the photo
   * @param {number} longest_px of the preview's sides
   * @param {{ signal?: AbortSignal }} [call]
   * @returns {Promise<ImageBitmap>} for the caller to close
   */
  async preview(options, longest_px, call = {}) {
    requireCall(call ?? {})
    const { signal } = call ?? {}
    const request = { handle: this.#opened('refine'), options: options ?? {}, longest_px }
    const { preview } = await pythonWorker.call('preview', request, 'refine', { signal })
    return preview
  }

  /**
   * What `refine` and `encode` would make, at the size of a screen.
   * @param {RefineOptions} options as of `refine`, in pixels of the photo
   * @param {OutputOptions} output as of `encode`, in pixels of the file
   * @param {number} longest_px of the preview's sides
   * @param {{ signal?: AbortSignal }} [call]
   * @returns {Promise<FilePreview>} `preview` is for the caller to close; `height` and `width` are
   *   those of the file, nearly
   */
  async previewFile(options, output, longest_px, call = {}) {
    requireCall(call ?? {})
    const { signal } = call ?? {}
    const behind = await this.#behind(output ?? {}, signal, longest_px)
    const handle = this.#opened('encode')
    const request = { handle, options: options ?? {}, longest_px, ...behind }
    return pythonWorker.call('previewFile', request, 'encode', {
      signal,
      transfer: behind.backdrop ? [behind.backdrop.rgba] : [],
    })
  }

  /**
   * What stands apart in the photo, for a person to choose among: `touchUp` takes one of them out.
   * @returns {Promise<Subject[]>}
   */
  async subjects() {
    return pythonWorker.call('subjects', { handle: this.#opened('refine') }, 'refine')
  }

  /**
   * Corrects the matte; the next `refine`, `preview` or `encode` shows it.
   * @param {Stroke[]} strokes all of them, oldest first: those of an earlier call that are missing
   *   here are undone
   */
  async touchUp(strokes) {
    const handle = this.#opened('refine')
    this.#isRefined = false
    await pythonWorker.call('touchUp', { handle, strokes }, 'refine')
  }

  /**
   * Where nothing has refined the matte as it is now, that is done first, by the options of the last
   * `refine` that has not failed.
   * @param {OutputOptions} [output]
   * @param {{ content?: EncodedContent, signal?: AbortSignal | undefined }} [call]
   * @returns {Promise<Picture>}
   */
  async encode(output = {}, call = {}) {
    requireCall(call ?? {})
    const { content = 'cutout', signal } = call ?? {}
    this.#opened('encode')
    const wanted = output ?? {}
    const precise = wanted.depth === 16
    if (!this.#isRefined || (precise && !this.#isPrecise)) {
      await this.refine(this.#options, { precise, signal })
    }
    const behind = await this.#behind(wanted, signal)
    const request = { handle: this.#opened('encode'), content, ...behind }
    const { bytes, height, width } = await pythonWorker.call('encode', request, 'encode', {
      signal,
      transfer: behind.backdrop ? [behind.backdrop.rgba] : [],
    })
    const blob = new Blob([bytes], { type: wanted.type ?? 'image/png' })
    release(bytes.buffer) // the blob has its own
    return { blob, height, width }
  }

  /**
   * The options with a picture behind taken out of them, and that picture in the photo's colours.
   * @param {OutputOptions} output
   * @param {AbortSignal | undefined} signal
   * @param {number} [longest_px] that it needs to have, where that is not all of it
   * @returns {Promise<{ output: OutputOptions, backdrop: Photo | null }>}
   */
  async #behind(output, signal, longest_px = Infinity) {
    const { background } = output
    if (!isPicture(background)) return { output, backdrop: null }
    const known = this.#smallBackdrop
    const isKnown = known?.source === background && known.longest_px === longest_px
    const photo = isKnown ? known.photo : await this.#decoded(background, signal, longest_px)
    const isSmall = longest_px < Infinity && isBlob(background)
    if (isSmall) this.#smallBackdrop = { source: background, longest_px, photo }
    // What is kept must not move to the worker.
    const backdrop = isSmall ? { ...photo, rgba: photo.rgba.slice(0) } : photo
    return { output: { ...output, background: 'picture' }, backdrop }
  }

  /**
   * @param {import('../rpc/messages.js').PictureSource} source
   * @param {AbortSignal | undefined} signal
   * @param {number} longest_px
   * @returns {Promise<Photo>}
   */
  #decoded(source, signal, longest_px) {
    const { colorSpace } = this.file
    const request = { source, name: 'The background', colorSpace, longest_px }
    return inferenceWorker.call('decode', request, 'decode', { signal })
  }

  /** Gives its memory back. */
  close() {
    this.#isClosed = true
    dropKept(this.handle)
  }

  /**
   * @param {import('../rpc/errors.js').Stage} stage
   * @returns {number} what names it in Python; throws `invalid_argument` where it is closed
   */
  #opened(stage) {
    if (!this.#isClosed) return this.handle
    throw new GossamerError(
      'invalid_argument',
      stage,
      'Expected an open photo: this photo was closed.',
    )
  }
}

/** @param {number} handle of a photo in Python */
export function dropKept(handle) {
  if (!pythonWorker.isRunning) return // gone with its worker
  pythonWorker.call('closePhoto', { handle }, 'refine').catch(() => {})
}
