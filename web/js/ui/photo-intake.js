/** The three ways in: files dropped anywhere on the window, pasted, or picked. */

import { create } from './dom.js'
import { strings } from './strings.js'

export class PhotoIntake extends HTMLElement {
  /** @type {(files: File[]) => void} */
  onFiles = () => {}
  /** Something without a file was dropped or pasted. */
  onNothing = () => {}

  #input = create('input', {
    type: 'file',
    multiple: true,
    accept: 'image/*,.heic,.heif,.avif',
    class: 'visually-hidden',
    tabindex: '-1',
    'aria-label': strings.choosePhotos,
    'data-testid': 'file-input',
  })
  #veil = create(
    'div',
    { class: 'drop-veil', hidden: true },
    create('p', { class: 'large' }, strings.dropHere),
  )
  #listening = new AbortController()

  connectedCallback() {
    this.replaceChildren(this.#input, this.#veil)
    this.#listening = new AbortController()
    const { signal } = this.#listening
    this.#input.addEventListener('change', () => this.#picked(), { signal })
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

  #picked() {
    const files = Array.from(this.#input.files ?? [])
    this.#input.value = '' // the same file can be picked again
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
  #dropped(event) {
    event.preventDefault()
    this.#highlight(false)
    const files = Array.from(event.dataTransfer?.files ?? [])
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

/** @param {DragEvent} event */
function bringsFiles({ dataTransfer }) {
  return Boolean(dataTransfer?.types.includes('Files'))
}

customElements.define('gossamer-photo-intake', PhotoIntake)
