/** The handle between the original, on its left, and the cut-out, on its right. */

import { create } from './dom.js'
import { createIcon } from './icons.js'
import { formatPercent, t } from './strings.js'

const STEP = 0.02
const LARGE_STEP = 0.1

export class CompareSlider extends HTMLElement {
  /** @type {(split: number) => void} */
  onChange = () => {}

  #grip = create('span', { class: 'grip', 'aria-hidden': 'true' }, createIcon('compare'))
  #split = 0
  /** What the handle moves along, in CSS px of its parent. */
  #range = { left: 0, width: 1 }

  connectedCallback() {
    this.setAttribute('role', 'slider')
    this.setAttribute('tabindex', '0')
    this.setAttribute('data-testid', 'compare')
    this.setAttribute('aria-label', t('compare'))
    this.setAttribute('aria-valuemin', '0')
    this.setAttribute('aria-valuemax', '100')
    this.replaceChildren(this.#grip)
    this.onpointerdown = (/** @type {PointerEvent} */ event) => {
      if (event.button !== 0) return
      event.preventDefault()
      this.focus({ preventScroll: true })
      this.setPointerCapture(event.pointerId)
    }
    this.onpointermove = (/** @type {PointerEvent} */ event) => {
      if (this.hasPointerCapture(event.pointerId)) this.#dragTo(event.clientX)
    }
    this.onkeydown = (/** @type {KeyboardEvent} */ event) => this.#keyPressed(event)
    this.#show()
  }

  /** @param {number} split 0 shows the cut-out alone, 1 the original */
  set split(split) {
    this.#split = Math.min(1, Math.max(0, split))
    this.#show()
  }

  get split() {
    return this.#split
  }

  /** @param {{ left: number, width: number }} range the part of the photo that is in sight */
  moveAlong(range) {
    this.#range = range
    this.#show()
  }

  /** @param {number} clientX */
  #dragTo(clientX) {
    const { left } = /** @type {HTMLElement} */ (this.parentElement).getBoundingClientRect()
    this.#choose((clientX - left - this.#range.left) / this.#range.width)
  }

  /** @param {KeyboardEvent} event */
  #keyPressed(event) {
    const step = {
      ArrowLeft: -STEP,
      ArrowDown: -STEP,
      ArrowRight: STEP,
      ArrowUp: STEP,
      PageDown: -LARGE_STEP,
      PageUp: LARGE_STEP,
      Home: -1,
      End: 1,
    }[event.key]
    if (!step) return
    event.preventDefault()
    event.stopPropagation()
    this.#choose(this.#split + step)
  }

  /** @param {number} split */
  #choose(split) {
    this.split = split
    this.onChange(this.#split)
  }

  #show() {
    const percent = Math.round(this.#split * 100)
    this.style.left = `${this.#range.left + this.#split * this.#range.width}px`
    this.setAttribute('aria-valuenow', String(percent))
    this.setAttribute('aria-valuetext', t('compareValue', { percent: formatPercent(percent) }))
  }
}

customElements.define('gossamer-compare-slider', CompareSlider)
