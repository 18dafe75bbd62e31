/** Brushes that correct what was found, and the way back. */

import { BRUSH, recallKnown } from './choices.js'
import { ChoiceControl, RangeControl } from './controls.js'
import { create, createButton } from './dom.js'
import { remember } from './settings.js'
import { formatPercent, t } from './strings.js'

/** @typedef {import('./brush-layer.js').Brush} Brush */
/** @typedef {'off' | 'keep' | 'remove' | 'pick'} Tool */
/** @typedef {import('./queue.js').Photo} Photo */
/** @typedef {import('../gossamer.js').Subject} Subject */

export class TouchUpPanel extends HTMLElement {
  /** @type {(brush: Brush | null) => void} */
  onBrush = () => {}
  /** @type {(subject: Subject) => void} taken out, or back in */
  onPick = () => {}
  /** @type {(subject: Subject | null) => void} the one that a person points at */
  onPoint = () => {}
  onUndo = () => {}
  onRedo = () => {}

  /** @type {Tool} */
  #tool = 'off'
  #brush = { ...BRUSH, ...recallKnown('brush') }
  #tools = new ChoiceControl({
    name: 'brush',
    label: t('brush'),
    choices: /** @type {[Tool, string][]} */ ([
      ['off', t('brushOff')],
      ['keep', t('brushKeep')],
      ['remove', t('brushRemove')],
      ['pick', t('brushPick')],
    ]),
    onInput: (tool) => this.choose(tool),
  })
  #size = new RangeControl({
    name: 'brush-size',
    label: t('brushSize'),
    min: 4,
    max: 200,
    step: 1,
    otherwise: BRUSH.size,
    words: (value) => `${value} px`,
    onInput: (size) => this.#change({ size }),
  })
  #hardness = new RangeControl({
    name: 'brush-hardness',
    label: t('brushHardness'),
    min: 0,
    max: 100,
    step: 5,
    otherwise: 100 * BRUSH.hardness,
    words: formatPercent,
    onInput: (percent) => this.#change({ hardness: percent / 100 }),
  })
  #subjects = create('div', { class: 'row', role: 'group', 'data-testid': 'subjects' })
  #hint = create('p', { class: 'muted' })
  /** @type {readonly Subject[]} */
  #found = []
  #undo = createButton('plain', t('undo'), () => isOn(this.#undo) && this.onUndo())
  #redo = createButton('plain', t('redo'), () => isOn(this.#redo) && this.onRedo())

  connectedCallback() {
    this.#undo.setAttribute('data-testid', 'undo')
    this.#redo.setAttribute('data-testid', 'redo')
    this.#undo.setAttribute('aria-keyshortcuts', 'Control+Z')
    this.#redo.setAttribute('aria-keyshortcuts', 'Control+Shift+Z')
    this.replaceChildren(
      this.#tools,
      this.#size,
      this.#hardness,
      this.#subjects,
      create('div', { class: 'row' }, this.#undo, this.#redo),
      this.#hint,
    )
    this.#subjects.setAttribute('aria-label', t('brushPick'))
    this.#tools.value = this.#tool
    this.#tools.offer('pick', false)
    this.#showTool()
    this.#size.value = this.#brush.size
    this.#hardness.value = Math.round(this.#brush.hardness * 100)
  }

  /** @param {Photo} photo */
  show({ edits, subjects }) {
    switchOn(this.#undo, edits.history.canUndo)
    switchOn(this.#redo, edits.history.canRedo)
    if (subjects !== this.#found) this.#showSubjects(subjects)
  }

  /** @param {readonly Subject[]} subjects */
  #showSubjects(subjects) {
    const areKnown =
      subjects.length === this.#found.length &&
      subjects.every(({ x, y }, at) => x === this.#found[at]?.x && y === this.#found[at]?.y)
    this.#found = subjects
    if (!areKnown) {
      const buttons = subjects.map((subject, at) => this.#subjectButton(subject, at + 1))
      this.#subjects.replaceChildren(...buttons)
    }
    for (const [at, button] of [...this.#subjects.children].entries()) {
      button.setAttribute('aria-pressed', String(subjects[at]?.kept))
    }
    if (areKnown) return
    this.#tools.offer('pick', subjects.length > 1)
    if (this.#tool === 'pick' && subjects.length < 2) this.choose('keep')
    else this.#showTool()
  }

  /**
   * @param {Subject} subject
   * @param {number} number
   */
  #subjectButton(subject, number) {
    const label = t('subject', { number })
    const button = createButton('plain', label, () => this.onPick(subject))
    button.onfocus = button.onpointerenter = () => this.onPoint(subject)
    button.onblur = button.onpointerleave = () => this.onPoint(null)
    return button
  }

  #showTool() {
    const picks = this.#tool === 'pick'
    this.#size.hidden = this.#hardness.hidden = picks
    this.#subjects.hidden = !picks
    this.#hint.textContent = picks ? t('pickHint', { count: this.#found.length }) : t('brushHint')
  }

  /** @param {Tool} tool */
  choose(tool) {
    this.#tool = tool
    this.#tools.value = tool
    this.#showTool()
    const brush = { keep: tool === 'keep', picks: tool === 'pick', ...this.#brush }
    this.onBrush(tool === 'off' ? null : brush)
  }

  /** @param {Partial<{ size: number, hardness: number }>} changed */
  #change(changed) {
    Object.assign(this.#brush, changed)
    remember('brush', this.#brush)
    this.choose(this.#tool)
  }
}

/**
 * A button that is off keeps the focus of whoever has just pressed it for the last time.
 * @param {HTMLButtonElement} button
 * @param {boolean} on
 */
function switchOn(button, on) {
  button.setAttribute('aria-disabled', String(!on))
}

/** @param {HTMLButtonElement} button */
function isOn(button) {
  return button.getAttribute('aria-disabled') !== 'true'
}

customElements.define('gossamer-touch-up-panel', TouchUpPanel)
