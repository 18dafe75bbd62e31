/** The photo and, over it, its cut-out on a checkerboard. */

import { create, createButton, setText } from './dom.js'
import { createIcon } from './icons.js'
import { strings } from './strings.js'

/** @typedef {import('./queue.js').Photo} Photo */

/** iOS refuses larger canvases without a word. */
const CANVAS_LIMIT_PX = 4096 * 4096

export class PhotoStage extends HTMLElement {
  /** @type {(photo: Photo) => void} */
  onRetry = () => {}
  /** @type {(photo: Photo) => void} */
  onRemove = () => {}
  /** @type {(pressed: boolean) => void} the person presses or lets go of the picture */
  onPress = () => {}

  #original = create('img', { draggable: 'false', 'data-testid': 'original' })
  #canvas = create('canvas', { role: 'img', 'data-testid': 'cutout' })
  #result = create('div', { class: 'result checkerboard', hidden: true }, this.#canvas)
  #frame = create('div', { class: 'frame', hidden: true }, this.#original, this.#result)
  #errorText = create('p', { 'data-testid': 'error', role: 'alert' })
  #errorActions = create('div', { class: 'row' })
  #errorCard = create(
    'div',
    { class: 'error-card', hidden: true },
    createIcon('alert'),
    this.#errorText,
    this.#errorActions,
  )
  /** @type {Photo | null} */
  #photo = null
  /** Whose cut-out is on the canvas, or on its way there. @type {Photo | null} */
  #cutoutOf = null

  connectedCallback() {
    this.setAttribute('data-testid', 'stage')
    this.setAttribute('role', 'region')
    this.setAttribute('aria-label', strings.stageLabel)
    this.replaceChildren(this.#frame, this.#errorCard)
    const retry = createButton('primary', strings.tryAgain, () => {
      if (this.#photo) this.onRetry(this.#photo)
    })
    retry.setAttribute('data-testid', 'retry')
    this.#errorActions.replaceChildren(
      retry,
      createButton('plain', strings.remove, () => this.#photo && this.onRemove(this.#photo)),
    )
    this.#original.onload = () => this.#originalLoaded()
    this.#original.onerror = () => {
      this.#original.hidden = true
    }
    this.#frame.onpointerdown = (event) => {
      if (!event.isPrimary || event.button !== 0) return
      this.#frame.setPointerCapture(event.pointerId)
      this.onPress(true)
    }
    this.#frame.onpointerup = this.#frame.onpointercancel = () => this.onPress(false)
    this.#frame.oncontextmenu = (event) => {
      if (/** @type {PointerEvent} */ (event).pointerType === 'touch') event.preventDefault()
    }
  }

  /**
   * @param {Photo | null} photo
   * @param {string} originalUrl an object URL that outlives the photo's time on the stage
   */
  show(photo, originalUrl) {
    this.#photo = photo
    this.#clearCutout()
    this.showOriginal(false)
    this.#frame.hidden = true
    if (!photo) {
      this.#original.removeAttribute('src')
      return
    }
    this.#original.hidden = false
    this.#original.alt = strings.originalAlt(photo.name)
    this.#canvas.setAttribute('aria-label', strings.cutoutAlt(photo.name))
    this.#original.src = originalUrl
    if (photo.result) {
      // Its checkerboard at once: the original must not flash up before a known cut-out.
      this.#fitFrame(photo.result.height, photo.result.width)
      this.#reveal(false)
    }
    this.update(photo)
  }

  /** @param {Photo} photo the one on the stage, after a change */
  update(photo) {
    if (photo !== this.#photo) return
    this.setAttribute('data-state', photo.state)
    this.#showError(photo.error)
    if (photo.state === 'waiting' || photo.state === 'failed') this.#clearCutout()
    if (photo.state === 'done' && this.#cutoutOf !== photo) this.#drawResult(photo)
  }

  /**
   * The first sight of a cut-out: it wipes in over the original.
   * @param {Photo} photo
   * @param {ImageBitmap} bitmap closed here
   */
  drawPreview(photo, bitmap) {
    if (photo === this.#photo) {
      this.#cutoutOf = photo
      this.#draw(bitmap)
      this.#reveal(true)
    }
    bitmap.close()
  }

  /** @param {boolean} on the original in place of the cut-out, for as long as somebody holds it */
  showOriginal(on) {
    this.toggleAttribute('data-original', on)
  }

  #originalLoaded() {
    // A cut-out that is already there has set the frame; the two have the same size.
    const { naturalHeight, naturalWidth } = this.#original
    if (naturalHeight > 0) this.#fitFrame(naturalHeight, naturalWidth)
  }

  /**
   * @param {number} height
   * @param {number} width
   */
  #fitFrame(height, width) {
    this.#frame.style.setProperty('--ratio', String(width / height))
    this.#frame.style.setProperty('--width-px', `${width}px`)
    this.#frame.hidden = false
  }

  /** @param {Photo} photo whose preview was not drawn, or is gone from the canvas */
  async #drawResult(photo) {
    if (!photo.result) return
    this.#cutoutOf = photo
    try {
      const bitmap = await createImageBitmap(photo.result.blob)
      if (this.#cutoutOf === photo) {
        this.#draw(bitmap)
        this.#reveal(Boolean(this.#result.hidden))
      }
      bitmap.close()
    } catch {
      if (this.#cutoutOf === photo) this.#showError(strings.cannotShow(photo.name))
    }
  }

  /** @param {ImageBitmap} bitmap */
  #draw(bitmap) {
    const scale = Math.min(1, Math.sqrt(CANVAS_LIMIT_PX / (bitmap.height * bitmap.width)))
    this.#canvas.height = Math.max(1, Math.floor(bitmap.height * scale))
    this.#canvas.width = Math.max(1, Math.floor(bitmap.width * scale))
    const context = this.#canvas.getContext('2d')
    context?.drawImage(bitmap, 0, 0, this.#canvas.width, this.#canvas.height)
    this.#fitFrame(bitmap.height, bitmap.width)
  }

  /** @param {boolean} wiping */
  #reveal(wiping) {
    this.#result.classList.toggle('wiping', wiping)
    this.#result.hidden = false
  }

  #clearCutout() {
    this.#cutoutOf = null
    this.#result.hidden = true
    this.#canvas.height = this.#canvas.width = 0 // gives its pixels back
  }

  /** @param {string | null} message */
  #showError(message) {
    this.#errorCard.hidden = message === null
    this.#errorActions.hidden = this.#photo?.state !== 'failed'
    setText(this.#errorText, message ?? '')
  }
}

customElements.define('gossamer-photo-stage', PhotoStage)
