/** What a window without photos shows: one line, one button, one small line. */

import { create, createButton } from './dom.js'
import { t } from './strings.js'

export class EmptyState extends HTMLElement {
  onChoose = () => {}
  onCamera = () => {}

  #button = createButton('primary', t('choosePhotos'), () => this.onChoose())
  #camera = createButton('plain', t('takePhoto'), () => this.onCamera())

  connectedCallback() {
    this.#camera.classList.add('touch-only')
    this.replaceChildren(
      create('p', { class: 'large' }, t('dropLine')),
      create('div', { class: 'row' }, this.#button, this.#camera),
      create('p', { class: 'muted' }, t('privacyLine')),
    )
  }

  focusButton() {
    this.#button.focus()
  }
}

customElements.define('gossamer-empty-state', EmptyState)
