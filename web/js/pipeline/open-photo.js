/**
 * A photo whose pixels and matte stay in the Python worker, so that other edges or another file need
 * neither a decoder nor a network.
 */

import { pythonWorker } from './workers.js'

/** @typedef {import('../rpc/messages.js').Density} Density */
/** @typedef {import('../rpc/messages.js').EncodedContent} EncodedContent */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('../rpc/messages.js').Matte} Matte */
/** @typedef {import('../rpc/messages.js').OutputOptions} OutputOptions */
/** @typedef {import('../rpc/messages.js').Progress} Progress */
/** @typedef {import('../rpc/messages.js').RefineOptions} RefineOptions */
/** @typedef {import('../rpc/messages.js').Stroke} Stroke */

/**
 * @typedef {{
 *   signal?: AbortSignal | undefined,
 *   onProgress?: ((progress: Progress) => void) | undefined,
 *   onPreview?: ((preview: ImageBitmap) => void) | undefined,
 * }} RefineCall
 */

/** @typedef {{ blob: Blob, height: number, width: number }} Picture */

export class OpenPhoto {
  #handle
  #density

  /**
   * @param {{
   *   handle: number,
   *   height: number,
   *   width: number,
   *   matte: Matte,
   *   density: Density | null,
   *   model: string,
   *   engine: Engine | null,
   * }} opened `engine` is null when the matte was given and no network ran
   */
  constructor({ handle, height, width, matte, density, model, engine }) {
    this.#handle = handle
    this.#density = density
    this.height = height
    this.width = width
    this.matte = matte
    this.model = model
    this.engine = engine
    this.backend = engine?.backend ?? null
  }

  /**
   * Makes the alpha anew, at the photo's size.
   * @param {RefineOptions} [options]
   * @param {RefineCall} [call] the receiver of `onPreview` closes the bitmap
   */
  async refine(options = {}, { signal, onProgress, onPreview } = {}) {
    const { preview } = await pythonWorker.call(
      'refine',
      {
        handle: this.#handle,
        options,
        preview: Boolean(onPreview),
        cancelled: cancelFlag(signal),
      },
      'refine',
      { signal, onProgress },
    )
    if (preview) onPreview?.(preview)
  }

  /**
   * What `refine` would make, at the size of a screen and in a fraction of the time. It changes
   * nothing: what `encode` writes was made by `refine`.
   * @param {RefineOptions} options as of `refine`, in pixels of the photo
   * @param {number} longest_px of the preview's sides
   * @param {{ signal?: AbortSignal }} [call]
   * @returns {Promise<ImageBitmap>} for the caller to close
   */
  async preview(options, longest_px, { signal } = {}) {
    const request = { handle: this.#handle, options, longest_px }
    const { preview } = await pythonWorker.call('preview', request, 'refine', { signal })
    return preview
  }

  /**
   * Corrects the matte; the next `refine` or `preview` shows it.
   * @param {Stroke[]} strokes all of them, oldest first: those of an earlier call that are missing
   *   here are undone
   */
  async touchUp(strokes) {
    await pythonWorker.call('touchUp', { handle: this.#handle, strokes }, 'refine')
  }

  /**
   * @param {OutputOptions} [output]
   * @param {{ content?: EncodedContent, signal?: AbortSignal | undefined }} [call]
   * @returns {Promise<Picture>}
   */
  async encode(output = {}, { content = 'cutout', signal } = {}) {
    const request = { handle: this.#handle, output, content, density: this.#density }
    const { bytes, height, width } = await pythonWorker.call('encode', request, 'encode', {
      signal,
    })
    return { blob: new Blob([bytes], { type: output.type ?? 'image/png' }), height, width }
  }

  /** Gives its memory back. */
  close() {
    pythonWorker.call('closePhoto', { handle: this.#handle }, 'refine').catch(() => {}) // gone with its worker
  }
}

/**
 * Python computes without looking at its messages; where memory can be shared, it looks at this.
 * @param {AbortSignal | undefined} signal
 * @returns {Int32Array | null}
 */
function cancelFlag(signal) {
  if (!signal || !globalThis.crossOriginIsolated) return null
  const flag = new Int32Array(new SharedArrayBuffer(4))
  signal.addEventListener('abort', () => Atomics.store(flag, 0, 1), { once: true })
  return flag
}
