/** Under the stage: how far a photo is, and what can be done with it when it is finished. */

import { cutoutName } from '../file-names.js'
import { MODELS } from '../gossamer.js'
import { create, createButton, setText } from './dom.js'
import { doubtOf, doubtWords } from './doubt.js'
import { modelWords } from './model-words.js'
import { formatBytes, language, stageWords, t } from './strings.js'

/** @typedef {import('./queue.js').Photo} Photo */

/** A browser clicks so soon after the pointer or the key that the click is of. */
const CLICK_WITHIN_MS = 500

export class WorkBar extends HTMLElement {
  /** @type {(on: boolean) => void} whether the original is to be seen */
  onOriginal = () => {}
  /** @type {(photo: Photo) => void} */
  onSave = () => {}
  onSaveAll = () => {}
  /** @type {(photo: Photo) => void} */
  onStop = () => {}
  /** @type {(photo: Photo) => void} */
  onRestart = () => {}

  #bar = create('div', { class: 'bar' })
  #words = create('p', { class: 'words' })
  #facts = create('p', { class: 'words muted', 'data-testid': 'file-facts' })
  #progress = create('div', {
    class: 'track',
    role: 'progressbar',
    'aria-valuemin': '0',
    'aria-valuemax': '100',
    'data-testid': 'progress',
    hidden: true,
  })
  #original = createButton('plain', t('original'), ({ timeStamp }) => this.#toggle(timeStamp))
  /** When a pointer or a key last held it. */
  #heldAt_ms = -CLICK_WITHIN_MS
  #stop = this.#button('plain', t('stop'), 'stop', (photo) => this.onStop(photo))
  #restart = this.#button('primary', t('startAgain'), 'restart', (photo) => this.onRestart(photo))
  #saveAll = this.#button('plain', '', 'save-all', () => this.onSaveAll())
  #save = this.#button('primary', '', 'save', (photo) => this.onSave(photo))
  /** @type {Photo | null} */
  #photo = null

  connectedCallback() {
    this.#progress.setAttribute('aria-label', t('progressLabel'))
    this.#progress.replaceChildren(this.#bar)
    this.replaceChildren(
      this.#progress,
      create('div', { class: 'told' }, this.#words, this.#facts),
      create(
        'div',
        { class: 'row' },
        this.#stop,
        this.#restart,
        this.#original,
        this.#saveAll,
        this.#save,
      ),
    )
    this.#original.title = t('originalHint')
    this.#original.setAttribute('aria-keyshortcuts', 'O')
    this.showOriginal(false)
    this.#holdWithPointer()
    this.#holdWithKeys()
  }

  /** @param {boolean} on as the stage has it, whoever has asked for it */
  showOriginal(on) {
    this.#original.setAttribute('aria-pressed', String(on))
  }

  /**
   * @param {Photo} photo
   * @param {number} finished how many photos can be saved
   */
  update(photo, finished) {
    this.#photo = photo
    const { state } = photo
    const { activeElement } = document
    this.setAttribute('data-state', state)
    this.#stop.hidden = state !== 'waiting' && state !== 'working'
    this.#restart.hidden = state !== 'stopped'
    this.#original.hidden = this.#save.hidden = state !== 'done'
    this.#saveAll.hidden = finished < 2
    this.#handOnFocus(activeElement)
    setText(this.#saveAll, t('saveAll', { count: finished }))
    setText(this.#save, t('save', { type: typeName(photo) }))
    this.#tell(photo)
    this.#updateBar(photo)
  }

  /** @param {Element | null} button that had the focus, and may be gone by now */
  #handOnFocus(button) {
    if (!(button instanceof HTMLElement) || !button.hidden || !this.contains(button)) return
    const next = [this.#stop, this.#restart, this.#save].find(({ hidden }) => !hidden)
    next?.focus({ preventScroll: true })
  }

  /** @param {Photo} photo */
  #tell(photo) {
    const { state, name, progress, result, model, edits, fileVersion } = photo
    const doubt = doubtOf(photo)
    if (state === 'waiting') setText(this.#words, t('waitingItsTurn'))
    else if (state === 'failed' || state === 'stopped') setText(this.#words, t('notFinished'))
    else if (progress) {
      const { stage, doneBytes, totalBytes } = progress
      setText(this.#words, stageWords(stage, doneBytes, totalBytes))
    } else if (doubt) setText(this.#words, doubtWords(doubt))
    else if (result) setText(this.#words, cutoutName(name, edits.output.type))
    const isExact = fileVersion === edits.version
    if (doubt === 'empty') setText(this.#facts, t('paintToKeep'))
    else setText(this.#facts, result && isExact ? facts(result, model) : '')
  }

  /** @param {Photo} photo */
  #updateBar({ progress }) {
    const fraction = progress?.fraction ?? 0
    this.#progress.hidden = !progress
    this.#progress.setAttribute('aria-valuenow', String(Math.round(fraction * 100)))
    this.#progress.setAttribute('aria-valuetext', this.#words.textContent ?? '')
    this.#bar.style.setProperty('--fraction', String(fraction))
  }

  #holdWithPointer() {
    this.#original.onpointerdown = (event) => {
      this.#original.setPointerCapture(event.pointerId)
      this.#hold(event, true)
    }
    this.#original.onpointerup = (event) => this.#hold(event, false)
    this.#original.onpointercancel = (event) => this.#hold(event, false)
    this.#original.oncontextmenu = (event) => event.preventDefault()
  }

  #holdWithKeys() {
    this.#original.onkeydown = (event) => {
      if (isPress(event)) this.#hold(event, true)
    }
    this.#original.onkeyup = (event) => {
      if (isPress(event)) this.#hold(event, false)
    }
    this.#original.onblur = () => this.onOriginal(false)
  }

  /**
   * @param {Event} event
   * @param {boolean} on
   */
  #hold({ timeStamp }, on) {
    this.#heldAt_ms = timeStamp
    this.onOriginal(on)
  }

  /**
   * Screen readers, voices and switches can click, and hold nothing.
   * @param {number} at_ms
   */
  #toggle(at_ms) {
    if (at_ms - this.#heldAt_ms < CLICK_WITHIN_MS) return // it is the end of that
    this.onOriginal(this.#original.getAttribute('aria-pressed') === 'false')
  }

  /**
   * @param {'plain' | 'primary'} look
   * @param {string} label
   * @param {string} name
   * @param {(photo: Photo) => void} run
   */
  #button(look, label, name, run) {
    const button = createButton(look, label, ({ detail }) => {
      if (this.#photo && detail < 2) run(this.#photo) // a double click is meant once
    })
    button.setAttribute('data-testid', name)
    return button
  }
}

/** @param {KeyboardEvent} event */
function isPress({ key }) {
  return key === ' ' || key === 'Enter'
}

/**
 * @param {import('./queue.js').Picture} picture
 * @param {string | null} model that was picked for it
 */
function facts({ height, width, blob }, model) {
  const number = (/** @type {number} */ value) => value.toLocaleString(language)
  const size = { width: number(width), height: number(height), bytes: formatBytes(blob.size) }
  const file = t('resultFacts', size)
  if (!model || MODELS.length < 2) return file
  return `${file} · ${t('modelPicked', { model: modelWords(model) })}`
}

/** @param {Photo} photo */
function typeName({ edits }) {
  const { type = 'image/png' } = edits.output
  return { 'image/png': 'PNG', 'image/webp': 'WebP', 'image/svg+xml': 'SVG' }[type] ?? ''
}

customElements.define('gossamer-work-bar', WorkBar)
