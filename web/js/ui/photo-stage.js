/** The photo and, over it, its cut-out: compared, zoomed, moved and painted on. */

import { inspect } from '../gossamer.js'
import { BrushLayer } from './brush-layer.js'
import { CompareSlider } from './compare-slider.js'
import { create } from './dom.js'
import { colourOf, isComposed, isWholeCutout } from './edits.js'
import { ErrorCard } from './error-card.js'
import { listenToGestures } from './gestures.js'
import { Handover } from './handover.js'
import { listenToPictureKeys } from './picture-keys.js'
import { errorWords, t } from './strings.js'
import { copyOf } from './thumbnails.js'
import { isSame, onWholePixels, Viewport } from './viewport.js'
import { ZoomBar } from './zoom-bar.js'

/** @typedef {import('./queue.js').Photo} Photo */
/** @typedef {import('../gossamer.js').Stroke} Stroke */

const ZOOM_STEP = 1.25
/** From this scale on, pixels are shown as the squares that they are. */
const PIXELS_FROM_SCALE = 3

export class PhotoStage extends HTMLElement {
  /** @type {(photo: Photo) => void} */
  onRetry = () => {}
  /** @type {(photo: Photo) => void} */
  onRemove = () => {}
  /** @type {(photo: Photo, stroke: Stroke) => void} */
  onStroke = () => {}
  /** @type {(on: boolean) => void} whether the original is seen in place of the cut-out */
  onOriginal = () => {}

  #original = create('img', { draggable: 'false', decoding: 'async', 'data-testid': 'original' })
  #canvas = create('canvas', { role: 'img', 'data-testid': 'cutout' })
  #result = create('div', { class: 'result', hidden: true }, this.#canvas)
  #mark = create('div', { class: 'mark', hidden: true })
  #frame = create('div', { class: 'frame', hidden: true }, this.#original, this.#result, this.#mark)
  #compare = new CompareSlider()
  #brush = new BrushLayer()
  #zoomBar = new ZoomBar()
  #error = new ErrorCard()
  #view = new Viewport()
  #resize = new ResizeObserver(() => this.#resized())
  #listening = new AbortController()
  #handover = new Handover()
  /** @type {Photo | null} */
  #photo = null
  /** Whose cut-out is on the canvas, or on its way there. @type {Photo | null} */
  #cutoutOf = null
  /** The file that is on the canvas, or on its way there. @type {Blob | null} */
  #file = null
  /** Whether what is on the canvas lies on the original, pixel by pixel. */
  #isAligned = true

  connectedCallback() {
    this.setAttribute('data-testid', 'stage')
    this.setAttribute('role', 'region')
    this.setAttribute('tabindex', '0')
    this.setAttribute('aria-label', t('stageLabel'))
    this.replaceChildren(this.#frame, this.#brush, this.#compare, this.#zoomBar, this.#error)
    this.#error.onRetry = () => this.#photo && this.onRetry(this.#photo)
    this.#error.onRemove = () => this.#photo && this.onRemove(this.#photo)
    this.#compare.onChange = () => {
      this.#result.classList.remove('wiping') // whoever moves the line wants to see what it shows
      this.#layOut()
    }
    this.#brush.onStroke = (stroke) => this.#photo && this.onStroke(this.#photo, stroke)
    this.#zoomBar.onZoom = (steps) => this.zoomBySteps(steps)
    this.#zoomBar.onToggle = () => this.toggleZoom()
    this.#original.onload = () => this.#originalLoaded()
    this.#original.onerror = () => {
      this.#original.hidden = true
    }
    this.#listening = new AbortController()
    this.#listenToHands()
    this.#resize.observe(this)
  }

  disconnectedCallback() {
    this.#listening.abort()
    this.#resize.disconnect()
    this.#handover.cancel()
    this.#clearCutout()
  }

  /**
   * @param {import('./queue.js').Size} size
   * @returns {number} longer side of such a photo as it fits here, in px of this screen
   */
  fitted_px(size) {
    const longest = Math.max(size.height, size.width)
    return Math.round(longest * this.#view.fitScaleOf(size) * devicePixelRatio)
  }

  /** @param {import('./brush-layer.js').Brush | null} brush null while nobody paints */
  set brush(brush) {
    this.#brush.brush = brush
    this.#showCompare()
    this.toggleAttribute('data-painting', brush !== null)
  }

  /** @param {import('../gossamer.js').Subject | null} subject marked on the photo */
  pointAt(subject) {
    this.#mark.hidden = !subject || !this.#isAligned
    if (!subject) return
    const { height, width } = this.#view.photo
    const { style } = this.#mark
    style.left = `${(100 * subject.left) / width}%`
    style.top = `${(100 * subject.top) / height}%`
    style.width = `${(100 * subject.width) / width}%`
    style.height = `${(100 * subject.height) / height}%`
  }

  /**
   * While its cut-out is decoded, the stage belongs to the photo before it as a whole, for a moment;
   * then a small picture of it has to do.
   * @param {Photo | null} photo
   * @param {string} originalUrl an object URL that outlives the photo's time on the stage
   * @param {HTMLCanvasElement | null} small
   */
  show(photo, originalUrl, small) {
    this.#cutoutOf = this.#file = null
    this.#error.show(null, false)
    this.#handover.begin(photo, () => {
      this.#take(photo, originalUrl)
      if (photo && photo === this.#cutoutOf && small) this.#drawFile(copyOf(small), photo)
    })
    if (photo && this.#isDrawn(photo)) this.#drawResult(photo)
    else this.#handover.end()
  }

  /**
   * @param {Photo | null} photo
   * @param {string} originalUrl
   */
  #take(photo, originalUrl) {
    this.#photo = photo
    this.#clearCanvas()
    this.showOriginal(false)
    this.#compare.split = 0
    this.#view.reset()
    this.#frame.hidden = this.#zoomBar.hidden = true
    if (!photo) {
      this.#original.removeAttribute('src')
      return
    }
    this.#original.alt = t('originalAlt', { name: photo.name })
    this.#canvas.setAttribute('aria-label', t('cutoutAlt', { name: photo.name }))
    this.#showOriginalOf(photo, originalUrl)
    this.update(photo)
  }

  /**
   * @param {Photo} photo whose file may hold no picture, or one that no memory holds
   * @param {string} url
   */
  async #showOriginalOf(photo, url) {
    this.#original.hidden = true
    this.#original.removeAttribute('src')
    try {
      await inspect(photo.file)
    } catch {
      return // what is wrong with it is told where it is cut out
    }
    if (photo !== this.#photo) return
    this.#original.hidden = false
    this.#original.src = url
  }

  /** @param {Photo} photo the one on the stage, whose cut-out gives way to its file or the reverse */
  redraw(photo) {
    if (this.#isAligned) return // what comes takes its place without a jump
    this.#clearCutout()
    if (photo.size) this.#fitFrame(photo.size.height, photo.size.width)
  }

  /** @param {Photo} photo the one on the stage, after a change */
  update(photo) {
    if (photo === this.#handover.photo && !this.#isDrawn(photo)) return this.#endHandover()
    if (photo !== this.#photo) return
    this.setAttribute('data-state', photo.state)
    this.#showBackground(colourOf(photo.edits))
    const hasFailed = photo.state === 'failed'
    this.#error.show(hasFailed ? errorWords(photo.error, photo.name) : null, hasFailed)
    if (photo.state !== 'working' && photo.state !== 'done') {
      this.#clearCutout()
      this.showOriginal(false) // or what comes of it would not be seen
    }
    if (!this.#isDrawn(photo)) return
    const isNews = isComposed(photo.edits.output) && photo.result?.blob !== this.#file
    if (this.#cutoutOf !== photo || isNews) this.#drawResult(photo)
  }

  /** @param {string} message about the photo on the stage, which keeps what it shows */
  showError(message) {
    this.#error.show(message, false)
  }

  /**
   * The first sight of a cut-out wipes in over the original; later ones replace it.
   * @param {Photo} photo
   * @param {ImageBitmap} bitmap closed here
   * @param {import('./queue.js').Size | null} file of the file that it shows, null for the cut-out
   * @param {Stroke[]} strokes that it has
   */
  drawPreview(photo, bitmap, file, strokes) {
    if (photo === this.#handover.photo) this.#endHandover()
    if (photo !== this.#photo) return bitmap.close()
    this.#cutoutOf = photo
    this.#file = null
    this.#draw(bitmap, photo, file)
    this.#brush.waitFor(photo.edits.strokes.filter((stroke) => !strokes.includes(stroke)))
    this.#reveal(Boolean(this.#result.hidden))
  }

  /** @param {boolean} on the original in place of the cut-out, for as long as somebody holds it */
  showOriginal(on) {
    this.toggleAttribute('data-original', on)
    this.onOriginal(on)
  }

  /** @param {number} steps inwards, or outwards */
  zoomBySteps(steps) {
    this.#view.zoomBy(ZOOM_STEP ** steps)
    this.#layOut()
  }

  /** @param {{ x: number, y: number }} [at] */
  toggleZoom(at) {
    if (this.#view.fits) this.#view.zoomTo(this.#view.fitScale < 0.9 ? 1 : 4, at)
    else this.#view.fit()
    this.#layOut()
  }

  #listenToHands() {
    const { signal } = this.#listening
    const onPan = (/** @type {number} */ dx, /** @type {number} */ dy) => {
      this.#view.panBy(dx, dy)
      this.#layOut()
    }
    const paints = () =>
      this.#brush.brush !== null && this.#isAligned && this.#photo?.state === 'done'
    /** @type {import('./gestures.js').GestureEvents} */
    const gestures = {
      onHold: (on) => this.showOriginal(on),
      onPan,
      onZoom: (factor, at) => {
        this.#view.zoomBy(factor, at)
        this.#layOut()
      },
      onTwice: (at) => this.toggleZoom(at),
      paints,
      onPaint: (at, start) => this.#brush.paint(at, start),
      onPaintEnd: (kept) => this.#brush.end(kept),
    }
    /** @type {import('./picture-keys.js').KeyEvents} */
    const keys = {
      onPan,
      paints: () => paints() && this.#brush.hasRing,
      onStep: (dx, dy) => {
        const { x, y } = this.#brush.stepRing(dx, dy)
        onPan(-x, -y)
      },
      onDab: () => this.#brush.dab(),
    }
    listenToGestures(this, gestures, signal)
    listenToPictureKeys(this, keys, signal)
  }

  #resized() {
    this.#view.stage = { width: this.clientWidth, height: this.clientHeight }
    this.#layOut()
  }

  #originalLoaded() {
    const { naturalHeight, naturalWidth } = this.#original
    if (naturalHeight > 0 && this.#isAligned) this.#fitFrame(naturalHeight, naturalWidth)
  }

  /**
   * @param {number} height
   * @param {number} width
   */
  #fitFrame(height, width) {
    this.#view.photo = { height, width }
    this.#frame.hidden = this.#zoomBar.hidden = false
    this.#layOut()
  }

  #layOut() {
    const { left, top, width, height } = onWholePixels(this.#view.frame, devicePixelRatio)
    const { style } = this.#frame
    style.transform = `translate(${left}px, ${top}px)`
    style.width = `${width}px`
    style.height = `${height}px`
    this.#frame.classList.toggle('pixels', this.#view.scale >= PIXELS_FROM_SCALE)
    const seen = Math.max(0, left)
    const range = { left: seen, width: Math.min(this.clientWidth, left + width) - seen }
    this.#compare.moveAlong(range)
    const split_px = range.left + this.#compare.split * range.width - left
    style.setProperty('--split', `${this.#compare.split > 0 ? split_px : 0}px`)
    this.#brush.moveTo(this.#view.frame, this.#view.scale)
    this.#zoomBar.show(this.#view.scale, this.#view.fits)
  }

  /** @param {Photo} photo whose preview was not drawn, or is gone from the canvas */
  async #drawResult(photo) {
    const { result } = photo
    if (!result) return
    this.#cutoutOf = photo
    this.#file = result.blob
    try {
      const bitmap = await createImageBitmap(result.blob)
      if (this.#cutoutOf !== photo || this.#file !== result.blob) return bitmap.close()
      if (photo === this.#handover.photo) this.#handover.end()
      this.#drawFile(bitmap, photo)
    } catch {
      if (this.#cutoutOf !== photo) return
      if (photo === this.#handover.photo) this.#handover.end()
      this.showError(t('cannotShow', { name: photo.name }))
    }
  }

  /**
   * @param {ImageBitmap} bitmap of the photo's file, closed here
   * @param {Photo} photo
   */
  #drawFile(bitmap, photo) {
    this.#draw(bitmap, photo, isComposed(photo.edits.output) ? photo.result : null)
    this.#reveal(false)
  }

  /**
   * @param {ImageBitmap} bitmap closed here
   * @param {Photo} photo
   * @param {import('./queue.js').Size | null} file of the file that it shows, null for the cut-out
   */
  #draw(bitmap, photo, file) {
    // The bitmap may be a small one, and an original that no browser shows tells no size.
    const whole = photo.size ?? bitmap
    const shown = file ?? whole
    this.#isAligned = isSame(shown, whole)
    this.toggleAttribute('data-apart', !this.#isAligned)
    if (this.#frame.hidden || !isSame(shown, this.#view.photo)) {
      this.#fitFrame(shown.height, shown.width)
    }
    // The pixels move into the canvas instead of being drawn: that takes no time on this thread.
    const context = this.#canvas.getContext('bitmaprenderer')
    if (context) context.transferFromImageBitmap(bitmap)
    else bitmap.close()
  }

  /** @param {boolean} wiping */
  #reveal(wiping) {
    this.#result.classList.toggle('wiping', wiping)
    this.#result.hidden = false
    this.#showCompare()
  }

  #showCompare() {
    this.#compare.hidden = this.#brush.brush !== null || this.#result.hidden || !this.#isAligned
    if (!this.#isAligned && this.#compare.split > 0) {
      this.#compare.split = 0
      this.#layOut()
    }
  }

  /** What was to be drawn of the next photo is out of date. */
  #endHandover() {
    this.#cutoutOf = this.#file = null
    this.#handover.end()
  }

  /** @param {Photo} photo whether its last file is what there is to be seen of it */
  #isDrawn(photo) {
    return photo.state === 'done' && hasCutout(photo, this.#brush.brush !== null)
  }

  /** @param {string | null} colour behind the cut-out, null for a checkerboard */
  #showBackground(colour) {
    this.#result.classList.toggle('checkerboard', colour === null)
    this.#result.style.backgroundColor = colour ?? ''
  }

  #clearCutout() {
    this.#cutoutOf = this.#file = null
    this.#clearCanvas()
  }

  #clearCanvas() {
    this.#isAligned = true
    this.removeAttribute('data-apart')
    this.#result.hidden = this.#compare.hidden = true
    this.#canvas.getContext('bitmaprenderer')?.transferFromImageBitmap(null)
    this.#brush.waitFor([])
  }
}

/**
 * @param {Photo} photo
 * @param {boolean} isPainting
 * @returns {boolean} whether its file is what the stage shows; the editor draws it otherwise
 */
export function hasCutout({ result, fileVersion, edits }, isPainting) {
  const { output } = edits
  if (result === null || fileVersion !== edits.version) return false
  if (isComposed(output)) return !isPainting && output.type !== 'image/svg+xml'
  return isWholeCutout(output)
}

customElements.define('gossamer-photo-stage', PhotoStage)
