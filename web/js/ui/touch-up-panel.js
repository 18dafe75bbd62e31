/** Brushes that correct what was found, and the way back. */

import { ChoiceControl, RangeControl } from './controls.js'
import { create, createButton } from './dom.js'
import { recall, remember } from './settings.js'
import { t } from './strings.js'

/** @typedef {import('./brush-layer.js').Brush} Brush */
/** @typedef {'off' | 'keep' | 'remove'} Tool */

export class TouchUpPanel extends HTMLElement {
  /** @type {(brush: Brush | null) => void} */
  onBrush = () => {}
  onUndo = () => {}
  onRedo = () => {}

  /** @type {Tool} */
  #tool = 'off'
  #brush = recall('brush', { size: 40, hardness: 0.6 })
  #tools = new ChoiceControl({
    name: 'brush',
    label: t('brush'),
    choices: /** @type {[Tool, string][]} */ ([
      ['off', t('brushOff')],
      ['keep', t('brushKeep')],
      ['remove', t('brushRemove')],
    ]),
    onInput: (tool) => this.choose(tool),
  })
  #size = new RangeControl({
    name: 'brush-size',
    label: t('brushSize'),
    min: 4,
    max: 200,
    step: 1,
    otherwise: 40,
    words: (value) => `${value} px`,
    onInput: (size) => this.#change({ size }),
  })
  #hardness = new RangeControl({
    name: 'brush-hardness',
    label: t('brushHardness'),
    min: 0,
    max: 100,
    step: 5,
    otherwise: 60,
    words: (value) => `${value} %`,
    onInput: (percent) => this.#change({ hardness: percent / 100 }),
  })
  #undo = createButton('plain', t('undo'), () => this.onUndo())
  #redo = createButton('plain', t('redo'), () => this.onRedo())

  connectedCallback() {
    this.#undo.setAttribute('data-testid', 'undo')
    this.#redo.setAttribute('data-testid', 'redo')
    this.#undo.setAttribute('aria-keyshortcuts', 'Control+Z')
    this.#redo.setAttribute('aria-keyshortcuts', 'Control+Shift+Z')
    this.replaceChildren(
      this.#tools,
      this.#size,
      this.#hardness,
      create('div', { class: 'row' }, this.#undo, this.#redo),
      create('p', { class: 'muted' }, t('brushHint')),
    )
    this.#tools.value = this.#tool
    this.#size.value = this.#brush.size
    this.#hardness.value = Math.round(this.#brush.hardness * 100)
  }

  /** @param {import('./edits.js').Edits} edits */
  show({ strokes, undone }) {
    this.#undo.disabled = strokes.length === 0
    this.#redo.disabled = undone.length === 0
  }

  /** @param {Tool} tool */
  choose(tool) {
    this.#tool = tool
    this.#tools.value = tool
    this.onBrush(tool === 'off' ? null : { keep: tool === 'keep', ...this.#brush })
  }

  /** @param {Partial<{ size: number, hardness: number }>} changed */
  #change(changed) {
    Object.assign(this.#brush, changed)
    remember('brush', this.#brush)
    this.choose(this.#tool)
  }
}

customElements.define('gossamer-touch-up-panel', TouchUpPanel)
