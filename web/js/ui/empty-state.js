/** What a window without photos shows: one line, one button, one small line. */

import { create, createButton } from './dom.js'
import { strings } from './strings.js'

export class EmptyState extends HTMLElement {
  onChoose = () => {}

  #button = createButton('primary', strings.choosePhotos, () => this.onChoose())

  connectedCallback() {
    this.replaceChildren(
      create('p', { class: 'large' }, strings.dropLine),
      this.#button,
      create('p', { class: 'muted' }, strings.privacyLine),
    )
  }

  focusButton() {
    this.#button.focus()
  }
}

customElements.define('gossamer-empty-state', EmptyState)
