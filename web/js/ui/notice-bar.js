/**
 * One quiet line above the work, with at most one thing to do about it. It lives as long as the page,
 * whose window is built anew in another language: so it takes its words as functions.
 */

import { create, createButton, createIconButton, setLabel, setText } from './dom.js'
import { t } from './strings.js'

/** @typedef {() => string} Words in the language of the moment */
/** @typedef {{ label: Words, run: () => void }} Action */

const SHOWN_FOR_MS = 6000

export class NoticeBar extends HTMLElement {
  /** The focus was in here, and where it came from it cannot go. */
  onFocusLost = () => {}

  #text = create('p')
  #button = createButton('plain', '', () => this.#action?.run())
  #dismiss = createIconButton('close', t('dismiss'), () => this.#hide())
  /** @type {Words} */
  #words = () => ''
  /** @type {Action | null} */
  #action = null
  #stays = false
  #isHovered = false
  #timer = 0
  /** @type {HTMLElement | null} */
  #cameFrom = null

  connectedCallback() {
    if (!this.hasAttribute('role')) this.#begin()
    this.#write()
  }

  /**
   * Stays until it is answered when there is something to do, else for some seconds.
   * @param {Words} words
   * @param {Action} [action]
   */
  show(words, action) {
    this.#show(words, action ?? null, Boolean(action))
  }

  /** @param {Words} words that stay until they are dismissed, as something may have to be done */
  showError(words) {
    this.#show(words, null, true)
  }

  #begin() {
    this.setAttribute('role', 'status')
    this.hidden = true
    this.replaceChildren(this.#text, this.#button, this.#dismiss)
    this.addEventListener('focusin', (event) => {
      const before = /** @type {HTMLElement | null} */ (event.relatedTarget)
      if (!this.contains(before)) this.#cameFrom = before
      this.#wait()
    })
    this.addEventListener('focusout', () => this.#wait())
    this.onpointerenter = () => this.#hover(true)
    this.onpointerleave = () => this.#hover(false)
  }

  /**
   * @param {Words} words
   * @param {Action | null} action
   * @param {boolean} stays
   */
  #show(words, action, stays) {
    const wasAnswered = !action && document.activeElement === this.#button
    this.#words = words
    this.#action = action
    this.#stays = stays
    this.hidden = false
    this.#write()
    if (wasAnswered) this.#giveFocusBack()
    this.#wait()
  }

  #write() {
    setText(this.#text, this.#words())
    setText(this.#button, this.#action?.label() ?? '')
    this.#button.hidden = !this.#action
    setLabel(this.#dismiss, t('dismiss'))
  }

  /** @param {boolean} isHovered */
  #hover(isHovered) {
    this.#isHovered = isHovered
    this.#wait()
  }

  /** Whoever reads it, or is about to press something in it, has time. */
  #wait() {
    clearTimeout(this.#timer)
    if (this.#stays || this.#isHovered || this.contains(document.activeElement)) return
    this.#timer = setTimeout(() => this.#hide(), SHOWN_FOR_MS)
  }

  #hide() {
    clearTimeout(this.#timer)
    const hadFocus = this.contains(document.activeElement)
    this.hidden = true
    this.#isHovered = false
    this.#action = null
    this.#words = () => ''
    this.#write()
    if (hadFocus) this.#giveFocusBack()
  }

  #giveFocusBack() {
    this.#cameFrom?.focus({ preventScroll: true })
    if (document.activeElement !== this.#cameFrom) this.onFocusLost()
  }
}

customElements.define('gossamer-notice-bar', NoticeBar)
