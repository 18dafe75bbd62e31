/**
 * One quiet line above the work, with at most one thing to do about it. It lives as long as the page,
 * whose window is built anew in another language.
 */

import { create, createButton, createIconButton } from './dom.js'
import { t } from './strings.js'

const SHOWN_FOR_MS = 6000

export class NoticeBar extends HTMLElement {
  #timer = 0

  connectedCallback() {
    if (this.hasAttribute('role')) return // only its place has changed
    this.setAttribute('role', 'status')
    this.hidden = true
  }

  /**
   * Stays until it is answered when there is something to do, else for some seconds.
   * @param {string} text
   * @param {{ label: string, run: () => void }} [action]
   */
  show(text, action) {
    clearTimeout(this.#timer)
    this.hidden = false
    this.replaceChildren(
      create('p', {}, text),
      ...(action ? [createButton('plain', action.label, action.run)] : []),
      createIconButton('close', t('dismiss'), () => this.#hide()),
    )
    if (!action) this.#timer = setTimeout(() => this.#hide(), SHOWN_FOR_MS)
  }

  #hide() {
    clearTimeout(this.#timer)
    this.hidden = true
    this.replaceChildren()
  }
}

customElements.define('gossamer-notice-bar', NoticeBar)
