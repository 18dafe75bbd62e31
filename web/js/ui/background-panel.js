/** What the subject stands on, and how much of the photo is left around it. */

import { RangeControl, SwitchControl } from './controls.js'
import { create } from './dom.js'
import { colourOf } from './edits.js'
import { language, t } from './strings.js'

/** @typedef {import('../gossamer.js').OutputOptions} OutputOptions */

/** @type {[colour: string, label: import('./strings.js').StringKey][]} */
const SWATCHES = [
  ['#ffffff', 'white'],
  ['#000000', 'black'],
  ['#808080', 'grey'],
  ['#00b140', 'green'],
]
const OTHERWISE = '#3a6ea5'

export class BackgroundPanel extends HTMLElement {
  /** @type {(options: Partial<OutputOptions>) => void} */
  onChange = () => {}

  /** @type {Map<string, HTMLButtonElement>} by colour, 'transparent' included */
  #swatches = new Map()
  #custom = create('input', { type: 'color', value: OTHERWISE, 'aria-label': t('ownColour') })
  #crop = new SwitchControl({
    name: 'crop',
    label: t('crop'),
    onInput: (on) => this.onChange({ crop: on ? { margin_px: this.#margin_px } : undefined }),
  })
  #margin = new RangeControl({
    name: 'margin',
    label: t('margin'),
    min: 0,
    max: 200,
    step: 5,
    otherwise: 0,
    words: (value) => `${value.toLocaleString(language)} px`,
    onInput: (margin_px) => {
      this.#margin_px = margin_px
      this.onChange({ crop: { margin_px } })
    },
  })
  #margin_px = 0

  connectedCallback() {
    const row = create('div', { class: 'swatches', role: 'group', 'aria-label': t('background') })
    row.append(this.#swatch('transparent', t('transparent')))
    for (const [colour, label] of SWATCHES) row.append(this.#swatch(colour, t(label)))
    const own = create('label', { class: 'swatch own', title: t('ownColour') }, this.#custom)
    row.append(own)
    this.#custom.oninput = () => this.onChange({ background: this.#custom.value })
    this.replaceChildren(row, this.#crop, this.#margin)
  }

  /** @param {import('./edits.js').Edits} edits */
  show(edits) {
    const { output } = edits
    const chosen = colourOf(edits) ?? 'transparent'
    for (const [colour, swatch] of this.#swatches) {
      swatch.setAttribute('aria-pressed', String(colour === chosen))
    }
    const isOwn = !this.#swatches.has(chosen)
    if (isOwn) this.#custom.value = chosen
    this.#custom.toggleAttribute('data-chosen', isOwn)
    const { crop } = output
    this.#crop.value = Boolean(crop)
    this.#margin.hidden = !crop
    this.#margin_px = typeof crop === 'object' ? (crop.margin_px ?? 0) : 0
    this.#margin.value = this.#margin_px
  }

  /**
   * @param {string} colour
   * @param {string} label
   */
  #swatch(colour, label) {
    const button = create('button', {
      type: 'button',
      class: colour === 'transparent' ? 'swatch checkerboard' : 'swatch',
      'aria-label': label,
      title: label,
      'data-testid': `background-${colour}`,
    })
    if (colour !== 'transparent') button.style.backgroundColor = colour
    button.onclick = () => {
      this.onChange({ background: colour === 'transparent' ? undefined : colour })
    }
    this.#swatches.set(colour, button)
    return button
  }
}

customElements.define('gossamer-background-panel', BackgroundPanel)
