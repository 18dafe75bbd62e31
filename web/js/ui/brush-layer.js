/** What is painted, until the stage shows what comes of it; strokes belong to the photo. */

import { create } from './dom.js'

/** @typedef {import('../gossamer.js').Stroke} Stroke */
/** @typedef {import('./gestures.js').Point} Point */
/** @typedef {import('./viewport.js').Box} Box */
/**
 * `size` is the diameter in CSS px; one that picks takes the subject under it out, or back in.
 * @typedef {{ keep: boolean, size: number, hardness: number, picks: boolean }} Brush
 */
/** Points and radius in px of the photo, which may move under a stroke. @typedef {{ brush: Brush, points: Point[], radius: number }} Trace */

const COLOURS = { keep: 'rgb(0 150 90 / 55%)', remove: 'rgb(210 40 40 / 55%)' }

export class BrushLayer extends HTMLElement {
  /** @type {(stroke: Stroke) => void} */
  onStroke = () => {}

  #canvas = create('canvas', { class: 'strokes', 'aria-hidden': 'true' })
  #ring = create('div', { class: 'brush-ring', hidden: true })
  /** @type {Brush | null} */
  #brush = null
  /** Of the hand that paints. @type {Trace | null} */
  #trace = null
  /** Of strokes whose effect is not to be seen yet. @type {Map<Stroke, Trace>} */
  #waiting = new Map()
  /** @type {Box} */
  #frame = { left: 0, top: 0, width: 1, height: 1 }
  #scale = 1
  /** Where the ring was last, in CSS px of the stage. @type {Point | null} */
  #ringAt = null
  #listening = new AbortController()

  connectedCallback() {
    this.replaceChildren(this.#canvas, this.#ring)
    this.#listening = new AbortController()
    const { signal } = this.#listening
    const stage = /** @type {HTMLElement} */ (this.parentElement)
    stage.addEventListener('pointermove', (event) => this.#moveRing(event), { signal })
    stage.addEventListener('pointerleave', () => this.#hideRing(), { signal })
    const byKeys = () => this.hasRing && stage.matches(':focus-visible') && this.stepRing(0, 0)
    stage.addEventListener('focus', byKeys, { signal })
    stage.addEventListener('blur', () => this.#hideRing(), { signal })
  }

  disconnectedCallback() {
    this.#listening.abort()
  }

  /** @param {Brush | null} brush */
  set brush(brush) {
    this.#brush = brush
    this.hidden = brush === null
    if (!brush) this.waitFor([])
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
    this.#draw()
  }

  /** @param {Stroke[]} strokes of which the stage does not show yet what comes of them */
  waitFor(strokes) {
    for (const stroke of this.#waiting.keys()) {
      if (!strokes.includes(stroke)) this.#waiting.delete(stroke)
    }
    this.#draw()
  }

  /**
   * @param {Point} at
   * @param {boolean} start of a stroke
   */
  paint(at, start) {
    if (start && this.#brush) {
      this.#trace = { brush: this.#brush, points: [], radius: this.#brush.size / 2 / this.#scale }
    }
    const { left, top } = this.#frame
    const point = { x: (at.x - left) / this.#scale, y: (at.y - top) / this.#scale }
    this.#trace?.points.push(point)
    this.#draw()
  }

  /** Whether where it paints is shown by a ring. */
  get hasRing() {
    return this.#brush !== null && !this.#brush.picks
  }

  /**
   * Moves the ring by keys, from where it was or from the middle, as far as the photo is in sight.
   * @param {number} dx CSS px
   * @param {number} dy CSS px
   * @returns {Point} what is left of the step
   */
  stepRing(dx, dy) {
    const from = this.#ringAt ?? { x: this.clientWidth / 2, y: this.clientHeight / 2 }
    const { left, top, width, height } = this.#frame
    const at = {
      x: held(from.x + dx, Math.max(0, left), Math.min(this.clientWidth, left + width)),
      y: held(from.y + dy, Math.max(0, top), Math.min(this.clientHeight, top + height)),
    }
    this.#showRing(at)
    return { x: from.x + dx - at.x, y: from.y + dy - at.y }
  }

  /** A touch of the brush where the ring is. */
  dab() {
    this.stepRing(0, 0)
    if (this.#ringAt) this.paint(this.#ringAt, true)
    this.end(true)
  }

  /** @param {boolean} kept */
  end(kept) {
    const trace = this.#trace
    this.#trace = null
    const stroke = trace && kept ? strokeOf(trace) : null
    if (trace && stroke && !trace.brush.picks) this.#waiting.set(stroke, trace)
    this.#draw()
    if (stroke) this.onStroke(stroke)
  }

  #draw() {
    const drawn = [...this.#waiting.values()]
    if (this.#trace && !this.#trace.brush.picks) drawn.push(this.#trace)
    const height = drawn.length > 0 ? this.clientHeight : 0
    const width = drawn.length > 0 ? this.clientWidth : 0
    if (this.#canvas.height !== height) this.#canvas.height = height
    if (this.#canvas.width !== width) this.#canvas.width = width
    const context = this.#canvas.getContext('2d')
    if (!context || width === 0) return
    // All of it anew: a stroke that is drawn in parts is darker where they overlap.
    context.resetTransform()
    context.clearRect(0, 0, width, height)
    context.setTransform(this.#scale, 0, 0, this.#scale, this.#frame.left, this.#frame.top)
    context.lineCap = context.lineJoin = 'round'
    for (const { brush, points, radius } of drawn) {
      context.lineWidth = 2 * radius
      context.strokeStyle = brush.keep ? COLOURS.keep : COLOURS.remove
      context.beginPath()
      const [first] = points
      if (first) context.moveTo(first.x, first.y)
      for (const { x, y } of points) context.lineTo(x, y)
      context.stroke()
    }
  }

  /** @param {PointerEvent} event */
  #moveRing({ clientX, clientY, pointerType }) {
    if (!this.#brush || this.#brush.picks || pointerType === 'touch') return this.#hideRing()
    const { left, top } = this.getBoundingClientRect()
    this.#showRing({ x: clientX - left, y: clientY - top })
  }

  /** @param {Point} at in CSS px of the stage */
  #showRing(at) {
    this.#ringAt = at
    this.#ring.hidden = false
    this.#ring.style.transform = `translate(${at.x}px, ${at.y}px)`
  }

  #hideRing() {
    this.#ring.hidden = true
  }
}

/** @param {Trace} trace @returns {Stroke} */
function strokeOf({ brush, points, radius }) {
  const { keep, hardness, picks } = brush
  const numbers = points.flatMap(({ x, y }) => [x, y])
  if (picks) return { subject: [Number(numbers[0]), Number(numbers[1])] }
  return { keep, hardness, radius, points: numbers }
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function held(value, least, most) {
  return Math.min(most, Math.max(least, value))
}

customElements.define('gossamer-brush-layer', BrushLayer)
