/** The ways in: files and folders dropped anywhere on the window, pasted, picked, or taken. */

import { create } from './dom.js'
import { droppedFiles } from './dropped-files.js'
import { t } from './strings.js'

export class PhotoIntake extends HTMLElement {
  /** @type {(files: File[]) => void} */
  onFiles = () => {}
  /** Something without a file was dropped or pasted. */
  onNothing = () => {}

  #input = createFileInput('file-input', { multiple: true, accept: 'image/*,.heic,.heif,.avif' })
  #camera = createFileInput('camera-input', { accept: 'image/*', capture: 'environment' })
  #veil = create(
    'div',
    { class: 'drop-veil', hidden: true },
    create('p', { class: 'large' }, t('dropHere')),
  )
  #listening = new AbortController()

  connectedCallback() {
    this.replaceChildren(this.#input, this.#camera, this.#veil)
    this.#listening = new AbortController()
    const { signal } = this.#listening
    for (const input of [this.#input, this.#camera]) {
      input.addEventListener('change', () => this.#picked(input), { signal })
    }
    window.addEventListener('dragenter', (event) => this.#entered(event), { signal })
    window.addEventListener('dragover', (event) => this.#over(event), { signal })
    window.addEventListener('drop', (event) => this.#dropped(event), { signal })
    window.addEventListener('paste', (event) => this.#pasted(event), { signal })
    // The veil covers the window, so that leaving it is leaving the window.
    this.#veil.addEventListener('dragleave', () => this.#highlight(false), { signal })
  }

  disconnectedCallback() {
    this.#listening.abort()
  }

  /** Opens the system's file picker; only inside a click or key press. */
  choose() {
    this.#input.click()
  }

  /** Opens the camera where there is one, else the file picker; only inside a click or key press. */
  takePhoto() {
    this.#camera.click()
  }

  /** @param {HTMLInputElement} input */
  #picked(input) {
    const files = Array.from(input.files ?? [])
    input.value = '' // the same file can be picked again
    if (files.length > 0) this.onFiles(files)
  }

  /** @param {DragEvent} event */
  #entered(event) {
    event.preventDefault()
    if (bringsFiles(event)) this.#highlight(true)
  }

  /** @param {DragEvent} event */
  #over(event) {
    event.preventDefault() // a dropped link must not replace the page and the work on it
    if (event.dataTransfer) event.dataTransfer.dropEffect = bringsFiles(event) ? 'copy' : 'none'
  }

  /** @param {DragEvent} event */
  async #dropped(event) {
    event.preventDefault()
    this.#highlight(false)
    const files = event.dataTransfer ? await droppedFiles(event.dataTransfer) : []
    if (files.length > 0) this.onFiles(files)
    else this.onNothing()
  }

  /** @param {ClipboardEvent} event */
  #pasted(event) {
    const files = Array.from(event.clipboardData?.files ?? [])
    if (files.length === 0) return this.onNothing()
    event.preventDefault()
    this.onFiles(files)
  }

  /** @param {boolean} on */
  #highlight(on) {
    this.#veil.hidden = !on
  }
}

/**
 * @param {string} name
 * @param {Record<string, string | boolean>} attributes
 */
function createFileInput(name, attributes) {
  return create('input', { type: 'file', hidden: true, 'data-testid': name, ...attributes })
}

/** @param {DragEvent} event */
function bringsFiles({ dataTransfer }) {
  return Boolean(dataTransfer?.types.includes('Files'))
}

customElements.define('gossamer-photo-intake', PhotoIntake)
