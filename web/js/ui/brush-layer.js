/** What is being painted at the moment; strokes that are done belong to the photo. */

import { create } from './dom.js'

/** @typedef {import('../gossamer.js').Stroke} Stroke */
/** @typedef {import('./gestures.js').Point} Point */
/** @typedef {import('./viewport.js').Box} Box */
/**
 * `size` is the diameter in CSS px; one that picks takes the subject under it out, or back in.
 * @typedef {{ keep: boolean, size: number, hardness: number, picks: boolean }} Brush
 */

const COLOURS = { keep: 'rgb(0 150 90 / 55%)', remove: 'rgb(210 40 40 / 55%)' }

export class BrushLayer extends HTMLElement {
  /** @type {(stroke: Stroke) => void} */
  onStroke = () => {}

  #canvas = create('canvas', { class: 'strokes', 'aria-hidden': 'true' })
  #ring = create('div', { class: 'brush-ring', hidden: true })
  /** @type {Brush | null} */
  #brush = null
  /** @type {Point[]} in px of the photo, which may move under a stroke */
  #points = []
  /** Of the stroke, in px of the photo. */
  #radius = 0
  /** @type {Box} */
  #frame = { left: 0, top: 0, width: 1, height: 1 }
  #scale = 1
  #listening = new AbortController()

  connectedCallback() {
    this.replaceChildren(this.#canvas, this.#ring)
    this.#listening = new AbortController()
    const { signal } = this.#listening
    const stage = /** @type {HTMLElement} */ (this.parentElement)
    stage.addEventListener('pointermove', (event) => this.#moveRing(event), { signal })
    stage.addEventListener('pointerleave', () => this.#hideRing(), { signal })
  }

  disconnectedCallback() {
    this.#listening.abort()
  }

  /** @param {Brush | null} brush */
  set brush(brush) {
    this.#brush = brush
    this.hidden = brush === null
    if (brush) {
      this.#ring.style.setProperty('--size', `${brush.size}px`)
      this.#ring.style.setProperty('--hardness', String(brush.hardness))
    }
  }

  get brush() {
    return this.#brush
  }

  /**
   * @param {Box} frame of the photo on the stage
   * @param {number} scale screen pixels of a photo pixel
   */
  moveTo(frame, scale) {
    this.#frame = frame
    this.#scale = scale
    if (this.#points.length > 0) this.#drawLatest()
  }

  /**
   * @param {Point} at
   * @param {boolean} start of a stroke
   */
  paint(at, start) {
    if (start) this.#begin()
    const { left, top } = this.#frame
    this.#points.push({ x: (at.x - left) / this.#scale, y: (at.y - top) / this.#scale })
    this.#drawLatest()
  }

  /** @param {boolean} kept */
  end(kept) {
    const stroke = kept && this.#points.length > 0 ? this.#stroke() : null
    this.#points = []
    this.#canvas.width = this.#canvas.height = 0
    if (stroke) this.onStroke(stroke)
  }

  #begin() {
    this.#points = []
    this.#radius = (this.#brush?.size ?? 0) / 2 / this.#scale
    this.#canvas.width = this.clientWidth
    this.#canvas.height = this.clientHeight
  }

  #drawLatest() {
    const context = this.#canvas.getContext('2d')
    if (!context || !this.#brush || this.#brush.picks) return
    // All of it anew: a stroke that is drawn in parts is darker where they overlap.
    context.resetTransform()
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height)
    context.setTransform(this.#scale, 0, 0, this.#scale, this.#frame.left, this.#frame.top)
    context.lineWidth = 2 * this.#radius
    context.lineCap = context.lineJoin = 'round'
    context.strokeStyle = this.#brush.keep ? COLOURS.keep : COLOURS.remove
    context.beginPath()
    const [first] = this.#points
    if (first) context.moveTo(first.x, first.y)
    for (const { x, y } of this.#points) context.lineTo(x, y)
    context.stroke()
  }

  /** @returns {Stroke} in px of the photo */
  #stroke() {
    const { keep, hardness, picks } = /** @type {Brush} */ (this.#brush)
    const points = this.#points.flatMap(({ x, y }) => [x, y])
    if (picks) return { subject: [Number(points[0]), Number(points[1])] }
    return { keep, hardness, radius: this.#radius, points }
  }

  /** @param {PointerEvent} event */
  #moveRing({ clientX, clientY, pointerType }) {
    if (!this.#brush || this.#brush.picks || pointerType === 'touch') return this.#hideRing()
    const { left, top } = this.getBoundingClientRect()
    this.#ring.hidden = false
    this.#ring.style.transform = `translate(${clientX - left}px, ${clientY - top}px)`
  }

  #hideRing() {
    this.#ring.hidden = true
  }
}

customElements.define('gossamer-brush-layer', BrushLayer)
