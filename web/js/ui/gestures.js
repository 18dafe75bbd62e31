/** What fingers, pens, mice and wheels do on the stage, as a few plain events. */

/** @typedef {{ x: number, y: number }} Point in CSS px from the element's corner */

/**
 * @typedef {object} GestureEvents
 * @property {(on: boolean) => void} onHold one pointer rests on the picture, or lets go
 * @property {(dx: number, dy: number) => void} onPan
 * @property {(factor: number, at: Point) => void} onZoom
 * @property {(at: Point) => void} onTwice a double click or tap
 * @property {() => boolean} paints whether one pointer paints at present
 * @property {(at: Point, start: boolean) => void} onPaint
 * @property {(kept: boolean) => void} onPaintEnd a stroke is done, or was a pinch after all
 */

const HOLD_AFTER_MS = 180
/** A finger that moves less than this has not moved. */
const SLACK_PX = 6
const TWICE_WITHIN_MS = 350
/** A notch of a mouse wheel, 100 px, zooms by a fifth. */
const WHEEL_ZOOM = 0.0018

/**
 * @param {HTMLElement} element
 * @param {GestureEvents} events
 * @param {AbortSignal} signal ends it
 */
export function listenToGestures(element, events, signal) {
  const gestures = new Gestures(element, events)
  const options = { signal }
  element.addEventListener('pointerdown', (event) => gestures.down(event), options)
  element.addEventListener('pointermove', (event) => gestures.move(event), options)
  element.addEventListener('pointerup', (event) => gestures.up(event), options)
  element.addEventListener('pointercancel', (event) => gestures.up(event), options)
  // A pointer that nobody hears of any more must not be in the way of all others.
  element.addEventListener('lostpointercapture', (event) => gestures.up(event), options)
  element.addEventListener('wheel', (event) => gestures.wheel(event), { signal, passive: false })
  element.addEventListener(
    'contextmenu',
    (event) => {
      if (/** @type {PointerEvent} */ (event).pointerType === 'touch') event.preventDefault()
    },
    options,
  )
}

class Gestures {
  #element
  #events
  /** @type {Map<number, Point>} */
  #pointers = new Map()
  /** What those are: all of them the same, or one of them alone. */
  #pointerType = ''
  /** @type {Point | null} */
  #start = null
  #moved = false
  #painting = false
  #holding = false
  #holdTimer = 0
  #lastTap = { at_ms: -TWICE_WITHIN_MS, x: 0, y: 0 }

  /**
   * @param {HTMLElement} element
   * @param {GestureEvents} events
   */
  constructor(element, events) {
    this.#element = element
    this.#events = events
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.target instanceof Element && event.target.closest('button, a, [role="slider"]'))
      return
    if (event.pointerType === 'mouse' && event.button > 1) return
    this.#pointers.delete(event.pointerId) // whose end was missed
    if (this.#isBeside(event)) return
    this.#pointerType = event.pointerType
    this.#element.setPointerCapture(event.pointerId)
    const point = this.#point(event)
    this.#pointers.set(event.pointerId, point)
    if (this.#pointers.size > 1) return this.#becomePinch()
    this.#start = point
    this.#moved = false
    this.#painting = event.button === 0 && this.#events.paints()
    if (this.#painting) this.#events.onPaint(point, true)
    else this.#holdTimer = setTimeout(() => this.#hold(true), HOLD_AFTER_MS)
  }

  /** @param {PointerEvent} event */
  move(event) {
    const before = this.#pointers.get(event.pointerId)
    if (!before) return
    const point = this.#point(event)
    if (this.#pointers.size === 2) this.#pinch(event.pointerId, before, point)
    else if (this.#pointers.size === 1 && this.#painting) {
      for (const step of event.getCoalescedEvents?.() ?? [event]) {
        this.#events.onPaint(this.#point(step), false)
      }
    } else if (this.#pointers.size === 1) this.#drag(before, point)
    this.#pointers.set(event.pointerId, point)
  }

  /** @param {PointerEvent} event */
  up(event) {
    if (!this.#pointers.delete(event.pointerId)) return
    const tapped = event.type === 'pointerup' && !this.#moved && !this.#holding && !this.#painting
    this.#hold(false)
    if (this.#painting) this.#events.onPaintEnd(event.type === 'pointerup')
    this.#painting = false
    if (tapped && this.#pointers.size === 0) this.#tap(this.#point(event))
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault()
    const px = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 33 : event.deltaY
    // Trackpads report a pinch as a wheel with the Control key, in small steps.
    const strength = event.ctrlKey && Math.abs(px) < 50 ? 6 : 1
    this.#events.onZoom(Math.exp(-px * WHEEL_ZOOM * strength), this.#point(event))
  }

  /**
   * @param {Point} before
   * @param {Point} point
   */
  #drag(before, point) {
    const start = this.#start ?? before
    if (!this.#moved && distance(start, point) < SLACK_PX) return
    if (!this.#holding) this.#events.onPan(point.x - before.x, point.y - before.y)
    this.#moved = true
    clearTimeout(this.#holdTimer)
  }

  /**
   * Fingers alone come in pairs. Of a pen and a hand that rests on the screen, the pen is meant.
   * @param {PointerEvent} event of another pointer
   * @returns {boolean} whether it is in the way
   */
  #isBeside({ pointerType }) {
    const areFingers = this.#pointerType === 'touch'
    if (this.#pointers.size === 0 || (areFingers && pointerType === 'touch')) return false
    if (!areFingers || pointerType !== 'pen') return true
    this.#becomePinch() // which ends what the hand has begun
    this.#pointers.clear()
    return false
  }

  #becomePinch() {
    this.#hold(false)
    this.#moved = true
    if (this.#painting) this.#events.onPaintEnd(false)
    this.#painting = false
  }

  /**
   * @param {number} id
   * @param {Point} before
   * @param {Point} point
   */
  #pinch(id, before, point) {
    const [other] = [...this.#pointers].filter(([pointer]) => pointer !== id).map(([, at]) => at)
    if (!other) return
    const middle = { x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 }
    this.#events.onPan((point.x - before.x) / 2, (point.y - before.y) / 2)
    this.#events.onZoom(distance(point, other) / Math.max(1, distance(before, other)), middle)
  }

  /** @param {Point} at */
  #tap(at) {
    const now_ms = performance.now()
    const isTwice =
      now_ms - this.#lastTap.at_ms < TWICE_WITHIN_MS && distance(at, this.#lastTap) < 24
    this.#lastTap = { at_ms: isTwice ? -TWICE_WITHIN_MS : now_ms, ...at }
    if (isTwice) this.#events.onTwice(at)
  }

  /** @param {boolean} on */
  #hold(on) {
    clearTimeout(this.#holdTimer)
    if (on === this.#holding) return
    this.#holding = on
    this.#events.onHold(on)
  }

  /** @param {MouseEvent} event */
  #point({ clientX, clientY }) {
    const { left, top } = this.#element.getBoundingClientRect()
    return { x: clientX - left, y: clientY - top }
  }
}

/**
 * @param {Point} one
 * @param {Point} other
 */
function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y)
}
