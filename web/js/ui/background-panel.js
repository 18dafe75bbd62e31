/** What becomes of the cut-out: what it is for, what it stands on, what is left around it. */

import { PRESETS } from './choices.js'
import { ChoiceControl, RangeControl, SwitchControl } from './controls.js'
import { create } from './dom.js'
import { isFile } from './edits.js'
import { createIcon } from './icons.js'
import { formatPercent, language, t } from './strings.js'

/** @typedef {import('../gossamer.js').OutputOptions} OutputOptions */
/** @typedef {import('../gossamer.js').Background} Background */
/** @typedef {'none' | NonNullable<OutputOptions['preset']>} Use */
/** @typedef {'none' | 'drop' | 'contact'} ShadowKind */

/** A wall that light falls on from above. */
const STUDIO = { gradient: ['#fafafa', '#b9bcc0'] }

/** @type {{ label: import('./strings.js').StringKey, background: Background }[]} */
const SWATCHES = [
  { label: 'transparent', background: 'transparent' },
  { label: 'white', background: '#ffffff' },
  { label: 'black', background: '#000000' },
  { label: 'grey', background: '#808080' },
  { label: 'green', background: '#00b140' },
  { label: 'gradient', background: STUDIO },
  { label: 'blurred', background: 'blur' },
]
const OTHERWISE = '#3a6ea5'
const OPACITY = 0.4

export class BackgroundPanel extends HTMLElement {
  /** @type {(options: Partial<OutputOptions>) => void} */
  onChange = () => {}
  /** @type {(picture: File) => void} to stand on, if it is one */
  onPicture = () => {}

  #use = new ChoiceControl({
    name: 'preset',
    label: t('preset'),
    choices: /** @type {[Use, string][]} */ ([
      ['none', t('presetNone')],
      ['product', t('presetProduct')],
      ['id-photo', t('presetId')],
      ['avatar', t('presetAvatar')],
      ['sticker', t('presetSticker')],
    ]),
    onInput: (use) => this.#choosePreset(use),
  })
  #about = create('p', { class: 'muted' })
  /** @type {Map<string, HTMLElement>} by name */
  #swatches = new Map()
  #custom = create('input', { type: 'color', value: OTHERWISE, 'aria-label': t('ownColour') })
  #picture = create('input', { type: 'file', accept: 'image/*', 'aria-label': t('ownPicture') })
  #shadow = new ChoiceControl({
    name: 'shadow',
    label: t('shadow'),
    choices: /** @type {[ShadowKind, string][]} */ ([
      ['none', t('shadowNone')],
      ['drop', t('shadowDrop')],
      ['contact', t('shadowContact')],
    ]),
    onInput: (kind) => {
      const opacity = this.#strength
      this.onChange({ shadow: kind === 'none' ? this.#noShadow() : { kind, opacity } })
    },
  })
  #opacity = new RangeControl({
    name: 'shadow-opacity',
    label: t('shadowStrength'),
    min: 5,
    max: 100,
    step: 5,
    otherwise: 100 * OPACITY,
    words: formatPercent,
    onInput: (percent) => {
      this.onChange({ shadow: { kind: this.#shadowKind, opacity: percent / 100 } })
    },
  })
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
  /** As they were set last, for a crop and a shadow that are switched on again. */
  #margin_px = 0
  #strength = OPACITY
  /** @type {'drop' | 'contact'} */
  #shadowKind = 'drop'
  /** @type {OutputOptions['preset'] | undefined} */
  #preset = undefined

  connectedCallback() {
    const row = create('div', { class: 'swatches', role: 'group', 'aria-label': t('background') })
    for (const { label, background } of SWATCHES) row.append(this.#swatch(t(label), background))
    row.append(
      create('label', { class: 'swatch own', title: t('ownColour') }, this.#custom),
      create(
        'label',
        { class: 'swatch picture', title: t('ownPicture'), 'data-testid': 'background-picture' },
        createIcon('picture'),
        this.#picture,
      ),
    )
    const chooseOwn = () => this.onChange({ background: this.#custom.value })
    this.#custom.oninput = chooseOwn
    this.#custom.onclick = () => {
      // Whoever takes the same colour as before tells the browser nothing.
      if (!this.#custom.hasAttribute('data-chosen')) chooseOwn()
    }
    this.#picture.onchange = () => {
      const [file] = this.#picture.files ?? []
      if (file) this.onPicture(file)
      this.#picture.value = '' // the same file can be picked again
    }
    this.replaceChildren(
      this.#use,
      this.#about,
      row,
      this.#shadow,
      this.#opacity,
      this.#crop,
      this.#margin,
    )
  }

  /** @param {import('./edits.js').Edits} edits */
  show({ output }) {
    const { preset, background, shadow, crop } = output
    this.#preset = preset
    this.#use.value = preset ?? 'none'
    this.#about.hidden = !preset
    if (preset) this.#about.textContent = aboutPreset(preset)
    this.#showBackground(background, preset)
    const kind = shadowKindOf(shadow, preset)
    if (kind !== 'none') this.#shadowKind = kind
    if (shadow) this.#strength = opacityOf(shadow, preset)
    this.#shadow.value = kind
    this.#opacity.hidden = kind === 'none'
    this.#opacity.value = Math.round(100 * opacityOf(shadow, preset))
    this.#crop.hidden = Boolean(preset)
    this.#crop.value = Boolean(crop)
    this.#margin.hidden = !crop || Boolean(preset)
    if (crop) this.#margin_px = typeof crop === 'object' ? (crop.margin_px ?? 0) : 0
    this.#margin.value = this.#margin_px
  }

  /**
   * @param {Background | undefined} background
   * @param {OutputOptions['preset']} preset
   */
  #showBackground(background, preset) {
    const chosen = nameOf(background ?? (preset ? PRESETS[preset].background : null))
    for (const [name, swatch] of this.#swatches) {
      swatch.setAttribute('aria-pressed', String(name === chosen))
    }
    const isOwn = chosen !== 'picture' && !this.#swatches.has(chosen)
    if (isOwn) this.#custom.value = chosen
    markChosen(this.#custom, t('ownColour'), isOwn)
    markChosen(this.#picture, t('ownPicture'), chosen === 'picture')
  }

  /** @param {Use} use what a preset says of these is what people want of it */
  #choosePreset(use) {
    const preset = use === 'none' ? undefined : use
    this.onChange({ preset, background: undefined, shadow: undefined, crop: undefined })
  }

  /** False takes a preset's own shadow away. */
  #noShadow() {
    return this.#preset && PRESETS[this.#preset].shadow ? false : undefined
  }

  /**
   * @param {string} label
   * @param {Background} background
   */
  #swatch(label, background) {
    const name = nameOf(background)
    const button = create('button', {
      type: 'button',
      class: `swatch ${name === 'transparent' ? 'checkerboard' : name}`,
      'aria-label': label,
      title: label,
      'data-testid': `background-${name}`,
    })
    if (name.startsWith('#')) button.style.backgroundColor = name
    button.onclick = () => {
      const isNone = name === 'transparent' && !this.#preset
      this.onChange({ background: isNone ? undefined : background })
    }
    this.#swatches.set(name, button)
    return button
  }
}

/**
 * @param {HTMLInputElement} input of a kind that cannot be pressed
 * @param {string} label
 * @param {boolean} isChosen
 */
function markChosen(input, label, isChosen) {
  input.toggleAttribute('data-chosen', isChosen)
  input.setAttribute('aria-label', isChosen ? t('chosen', { label }) : label)
}

/** @param {NonNullable<OutputOptions['preset']>} preset */
function aboutPreset(preset) {
  return {
    product: t('aboutProduct'),
    'id-photo': t('aboutId'),
    avatar: t('aboutAvatar'),
    sticker: t('aboutSticker'),
  }[preset]
}

/** @param {Background | null} background @returns {string} of its swatch, or an own colour */
function nameOf(background) {
  if (!background) return 'transparent'
  if (typeof background === 'string') return background
  return isFile(background) ? 'picture' : 'gradient'
}

/**
 * @param {OutputOptions['shadow']} shadow
 * @param {OutputOptions['preset']} preset
 * @returns {ShadowKind}
 */
function shadowKindOf(shadow, preset) {
  const { kind = 'none' } = shadowOf(shadow, preset)
  return kind
}

/**
 * @param {OutputOptions['shadow']} shadow
 * @param {OutputOptions['preset']} preset
 */
function opacityOf(shadow, preset) {
  return shadowOf(shadow, preset).opacity ?? OPACITY
}

/**
 * @param {OutputOptions['shadow']} shadow
 * @param {OutputOptions['preset']} preset
 * @returns {{ kind?: ShadowKind, opacity?: number }}
 */
function shadowOf(shadow, preset) {
  const chosen = shadow ?? (preset ? PRESETS[preset].shadow : null)
  if (!chosen) return {}
  if (chosen === true) return { kind: 'drop' }
  if (typeof chosen === 'string') return { kind: chosen }
  return /** @type {{ kind?: ShadowKind, opacity?: number }} */ ({ kind: 'drop', ...chosen })
}

customElements.define('gossamer-background-panel', BackgroundPanel)
