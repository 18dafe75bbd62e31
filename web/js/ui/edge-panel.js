/** How the edge of the subject is drawn. */

import { REFINE_DEFAULTS } from './choices.js'
import { ChoiceControl, RangeControl, SwitchControl } from './controls.js'
import { create, createButton } from './dom.js'
import { formatPercent, language, t } from './strings.js'

/** @typedef {import('./edits.js').Edits} Edits */
/** @typedef {import('../gossamer.js').RefineOptions} RefineOptions */
/** @typedef {'none' | 'guided' | 'closed_form'} Detail */

export class EdgePanel extends HTMLElement {
  /** @type {(options: RefineOptions) => void} */
  onChange = () => {}
  onUseForAll = () => {}

  #feather = new RangeControl({
    name: 'feather',
    label: t('feather'),
    min: 0,
    max: 24,
    step: 0.5,
    otherwise: REFINE_DEFAULTS.feather_px,
    words: pixels,
    onInput: (feather_px) => this.onChange({ feather_px }),
  })
  #contract = new RangeControl({
    name: 'contract',
    label: t('contract'),
    min: -24,
    max: 24,
    step: 1,
    otherwise: REFINE_DEFAULTS.contract_px,
    words: (value) => (value > 0 ? `+${pixels(value)}` : pixels(value)),
    onInput: (value) => this.onChange({ contract_px: value === 0 ? 0 : -value }),
  })
  #detail = new ChoiceControl({
    name: 'detail',
    label: t('detail'),
    choices: /** @type {[Detail, string][]} */ ([
      ['none', t('detailNone')],
      ['guided', t('detailGuided')],
      ['closed_form', t('detailClosedForm')],
    ]),
    onInput: (detail) => this.onChange({ detail }),
  })
  #decontaminate = new SwitchControl({
    name: 'decontaminate',
    label: t('decontaminate'),
    onInput: (decontaminate) => this.onChange({ decontaminate }),
  })
  #smooth = new RangeControl({
    name: 'smooth',
    label: t('smooth'),
    min: 0,
    max: 4,
    step: 0.1,
    otherwise: 4 - REFINE_DEFAULTS.sharpen,
    words: (value) => formatPercent(value * 25),
    onInput: (value) => this.onChange({ sharpen: Math.round((4 - value) * 10) / 10 }),
  })
  #specks = new RangeControl({
    name: 'specks',
    label: t('specks'),
    min: 0,
    max: 200,
    step: 5,
    otherwise: 0,
    words: pixels,
    onInput: (side_px) => this.onChange({ min_region_px: side_px * side_px }),
  })

  #useForAll = createButton('plain', t('useForAll'), () => this.onUseForAll())
  #aboutAll = create('p', { class: 'muted', id: 'about-use-for-all' }, t('aboutUseForAll'))

  connectedCallback() {
    this.#useForAll.setAttribute('aria-describedby', this.#aboutAll.id)
    this.replaceChildren(
      this.#feather,
      this.#contract,
      this.#detail,
      this.#decontaminate,
      create(
        'details',
        { class: 'more' },
        create('summary', {}, t('more')),
        this.#smooth,
        this.#specks,
      ),
      create(
        'div',
        { class: 'row' },
        createButton('plain', t('resetEdges'), () => this.onChange(defaults())),
        this.#useForAll,
      ),
      this.#aboutAll,
    )
  }

  /**
   * @param {Edits} edits
   * @param {number} count of all photos
   */
  show({ refine }, count) {
    this.#useForAll.hidden = this.#aboutAll.hidden = count < 2
    const options = { ...REFINE_DEFAULTS, ...refine }
    this.#feather.value = Number(options.feather_px)
    this.#contract.value = options.contract_px === 0 ? 0 : -Number(options.contract_px)
    this.#smooth.value = 4 - Number(options.sharpen)
    this.#specks.value = Math.sqrt(Number(options.min_region_px))
    this.#decontaminate.value = Boolean(options.decontaminate)
    this.#detail.value = /** @type {Detail} */ (options.detail)
  }
}

/** @returns {RefineOptions} that take every option away */
function defaults() {
  return /** @type {any} */ (
    Object.fromEntries(Object.keys(REFINE_DEFAULTS).map((name) => [name, undefined]))
  )
}

/** @param {number} value */
function pixels(value) {
  return `${value.toLocaleString(language)} px`
}

customElements.define('gossamer-edge-panel', EdgePanel)
