/** Under the stage: how far a photo is, and what can be done with it when it is finished. */

import { create, createButton, setText } from './dom.js'
import { fileStem } from './file-names.js'
import { strings } from './strings.js'

/** @typedef {import('./queue.js').Photo} Photo */

const COPIED_FOR_MS = 2000

export class WorkBar extends HTMLElement {
  /** @type {(pressed: boolean) => void} */
  onHoldOriginal = () => {}
  /** @type {(photo: Photo) => void} */
  onCopy = () => {}

  #bar = create('div', { class: 'bar' })
  #words = create('p', { class: 'words' })
  #facts = create('p', { class: 'words muted' })
  #progress = create('div', {
    class: 'track',
    role: 'progressbar',
    'aria-label': strings.progressLabel,
    'aria-valuemin': '0',
    'aria-valuemax': '100',
    'data-testid': 'progress',
  })
  #original = createButton('plain', strings.original, () => {})
  #copy = createButton('plain', strings.copy, () => this.#photo && this.onCopy(this.#photo))
  #save = create('a', { class: 'button primary', 'data-testid': 'save' }, strings.savePng)
  #actions = create('div', { class: 'row', hidden: true }, this.#original, this.#copy, this.#save)
  /** @type {Photo | null} */
  #photo = null
  #copiedTimer = 0

  connectedCallback() {
    this.#progress.replaceChildren(this.#bar)
    this.replaceChildren(
      this.#progress,
      create('div', { class: 'told' }, this.#words, this.#facts),
      this.#actions,
    )
    this.#original.title = strings.originalHint
    this.#original.setAttribute('aria-keyshortcuts', 'O')
    this.#holdWithPointer()
    this.#holdWithKeys()
    this.#copy.classList.add('copy')
    this.#copy.hidden = !canCopyPng()
  }

  disconnectedCallback() {
    clearTimeout(this.#copiedTimer)
  }

  /**
   * @param {Photo} photo
   * @param {string | null} resultUrl an object URL, when the photo is done
   */
  update(photo, resultUrl) {
    if (photo !== this.#photo) this.#showCopied(false)
    this.#photo = photo
    this.#actions.hidden = photo.state !== 'done'
    this.setAttribute('data-state', photo.state)
    this.#tell(photo)
    this.#updateBar(photo)
    if (resultUrl && this.#save.getAttribute('href') !== resultUrl) {
      this.#save.href = resultUrl
      this.#save.download = strings.cutoutFileName(fileStem(photo.name))
    }
  }

  /** Says beside the button, for a moment, that the picture is in the clipboard. */
  confirmCopy() {
    this.#showCopied(true)
    this.#copiedTimer = setTimeout(() => this.#showCopied(false), COPIED_FOR_MS)
  }

  /** @param {Photo} photo */
  #tell({ state, name, progress, result }) {
    if (state === 'waiting') setText(this.#words, strings.waitingItsTurn)
    else if (state === 'failed') setText(this.#words, strings.notFinished)
    else if (result) setText(this.#words, strings.cutoutFileName(fileStem(name)))
    else if (progress) {
      const { stage, doneBytes, totalBytes } = progress
      setText(this.#words, strings.stageWords(stage, doneBytes, totalBytes))
    }
    const { height, width, blob } = result ?? {}
    setText(this.#facts, blob ? strings.resultFacts(height ?? 0, width ?? 0, blob.size) : '')
  }

  /** @param {Photo} photo */
  #updateBar({ state, progress }) {
    const fraction = progress?.fraction ?? 0
    this.#progress.toggleAttribute('data-idle', state !== 'working')
    this.#progress.setAttribute('aria-valuenow', String(Math.round(fraction * 100)))
    this.#progress.setAttribute('aria-valuetext', this.#words.textContent ?? '')
    this.#bar.style.setProperty('--fraction', String(fraction))
  }

  #holdWithPointer() {
    this.#original.onpointerdown = (event) => {
      this.#original.setPointerCapture(event.pointerId)
      this.onHoldOriginal(true)
    }
    this.#original.onpointerup = () => this.onHoldOriginal(false)
    this.#original.onpointercancel = () => this.onHoldOriginal(false)
    this.#original.oncontextmenu = (event) => event.preventDefault()
  }

  #holdWithKeys() {
    this.#original.onkeydown = ({ key }) => {
      if (key === ' ' || key === 'Enter') this.onHoldOriginal(true)
    }
    this.#original.onkeyup = () => this.onHoldOriginal(false)
    this.#original.onblur = () => this.onHoldOriginal(false)
  }

  /** @param {boolean} copied */
  #showCopied(copied) {
    clearTimeout(this.#copiedTimer)
    setText(this.#copy, copied ? strings.copied : strings.copy)
  }
}

function canCopyPng() {
  if (typeof ClipboardItem === 'undefined' || !navigator.clipboard?.write) return false
  return ClipboardItem.supports?.('image/png') ?? true
}

customElements.define('gossamer-work-bar', WorkBar)
