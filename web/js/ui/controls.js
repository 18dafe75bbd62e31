/** Controls that show their value, act at once and go back to their default on a double click. */

import { create, setText } from './dom.js'

let lastId = 0

/**
 * @typedef {object} RangeSpec
 * @property {string} name for tests and styles
 * @property {string} label
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {number} otherwise the default
 * @property {(value: number) => string} words the value with its unit
 * @property {(value: number) => void} onInput
 */

export class RangeControl extends HTMLElement {
  #spec
  #input = create('input', { type: 'range', id: `range-${++lastId}` })
  /** Whose value the slider says itself. */
  #output = create('output', { for: this.#input.id, 'aria-live': 'off' })

  /** @param {RangeSpec} spec */
  constructor(spec) {
    super()
    this.#spec = spec
    const { min, max, step } = spec
    for (const [name, value] of Object.entries({ min, max, step })) {
      this.#input.setAttribute(name, String(value))
    }
  }

  connectedCallback() {
    this.setAttribute('data-testid', this.#spec.name)
    const label = create('label', { for: this.#input.id }, this.#spec.label)
    this.replaceChildren(create('div', { class: 'control-head' }, label, this.#output), this.#input)
    this.#input.oninput = () => this.#act(this.#input.valueAsNumber)
    this.ondblclick = () => this.#act(this.#spec.otherwise)
    this.#input.onkeydown = (event) => {
      if (event.key !== 'Delete' && event.key !== 'Backspace') return
      event.stopPropagation()
      this.#act(this.#spec.otherwise)
    }
  }

  /** @param {number} value shown, without acting */
  set value(value) {
    this.#input.value = String(value)
    const words = this.#spec.words(value)
    setText(this.#output, words)
    this.#input.setAttribute('aria-valuetext', words)
  }

  /** @param {number} value */
  #act(value) {
    this.value = value
    this.#spec.onInput(value)
  }
}

/**
 * @template {string} Value
 * @typedef {object} ChoiceSpec
 * @property {string} name
 * @property {string} label
 * @property {[value: Value, label: string][]} choices
 * @property {(value: Value) => void} onInput
 */

/** One of a few, all in sight. @template {string} Value */
export class ChoiceControl extends HTMLElement {
  #spec
  /** @type {Map<Value, HTMLInputElement>} */
  #inputs = new Map()

  /** @param {ChoiceSpec<Value>} spec */
  constructor(spec) {
    super()
    this.#spec = spec
  }

  connectedCallback() {
    const { name, label, choices, onInput } = this.#spec
    this.setAttribute('data-testid', name)
    const group = `choice-${++lastId}`
    const title = create('span', { id: group }, label)
    const segments = create('div', {
      class: 'segments',
      role: 'radiogroup',
      'aria-labelledby': group,
    })
    for (const [value, text] of choices) {
      const input = this.#inputs.get(value) ?? create('input', { type: 'radio', value })
      input.name = group
      input.onchange = () => onInput(value)
      this.#inputs.set(value, input)
      segments.append(create('label', {}, input, create('span', {}, text)))
    }
    this.replaceChildren(create('div', { class: 'control-head' }, title), segments)
  }

  /**
   * @param {Value} value
   * @param {boolean} on whether it can be chosen at present
   */
  offer(value, on) {
    const label = this.#inputs.get(value)?.closest('label')
    if (label) label.hidden = !on
  }

  /** @param {Value} value shown, without acting */
  set value(value) {
    for (const [candidate, input] of this.#inputs) input.checked = candidate === value
  }
}

/** On or off. */
export class SwitchControl extends HTMLElement {
  #spec
  #input = create('input', { type: 'checkbox', role: 'switch' })

  /** @param {{ name: string, label: string, onInput: (on: boolean) => void }} spec */
  constructor(spec) {
    super()
    this.#spec = spec
  }

  connectedCallback() {
    this.setAttribute('data-testid', this.#spec.name)
    this.replaceChildren(
      create('label', { class: 'switch' }, create('span', {}, this.#spec.label), this.#input),
    )
    this.#input.onchange = () => this.#spec.onInput(this.#input.checked)
  }

  /** @param {boolean} on shown, without acting */
  set value(on) {
    this.#input.checked = on
  }
}

customElements.define('gossamer-range', RangeControl)
customElements.define('gossamer-choice', ChoiceControl)
customElements.define('gossamer-switch', SwitchControl)
