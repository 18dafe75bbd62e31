/** What went wrong with the photo on the stage, and what can be done about it. */

import { create, createButton, setText } from './dom.js'
import { createIcon } from './icons.js'
import { t } from './strings.js'

export class ErrorCard extends HTMLElement {
  onRetry = () => {}
  onRemove = () => {}

  #text = create('p', { 'data-testid': 'error' })
  #actions = create('div', { class: 'row' })

  connectedCallback() {
    const retry = createButton('primary', t('tryAgain'), () => this.onRetry())
    retry.setAttribute('data-testid', 'retry')
    this.#actions.replaceChildren(
      retry,
      createButton('plain', t('remove'), () => this.onRemove()),
    )
    this.replaceChildren(createIcon('alert'), this.#text, this.#actions)
    this.hidden = true
  }

  /**
   * @param {string | null} message null when all is well
   * @param {boolean} canRetry
   */
  show(message, canRetry) {
    this.hidden = message === null
    this.#actions.hidden = !canRetry
    setText(this.#text, message ?? '')
  }
}

customElements.define('gossamer-error-card', ErrorCard)
