/** The file that is saved: its format, its quality and its size. */

import { ChoiceControl, RangeControl, SwitchControl } from './controls.js'
import { create, createButton, setText } from './dom.js'
import { formatBytes, formatPercent, t } from './strings.js'

/** @typedef {import('./queue.js').Photo} Photo */
/** @typedef {import('../gossamer.js').OutputOptions} OutputOptions */
/** @typedef {NonNullable<OutputOptions['type']>} FileType */

const COPIED_FOR_MS = 2000
const QUALITY = 90

export class FilePanel extends HTMLElement {
  /** @type {(options: Partial<OutputOptions>) => void} */
  onChange = () => {}
  onCopy = () => {}

  #type = new ChoiceControl({
    name: 'format',
    label: t('format'),
    choices: /** @type {[FileType, string][]} */ ([
      ['image/png', 'PNG'],
      ['image/webp', 'WebP'],
      ['image/svg+xml', 'SVG'],
    ]),
    onInput: (type) => this.onChange({ type: type === 'image/png' ? undefined : type }),
  })
  #quality = new RangeControl({
    name: 'quality',
    label: t('quality'),
    min: 10,
    max: 100,
    step: 5,
    otherwise: QUALITY,
    words: formatPercent,
    onInput: (percent) => this.onChange({ quality: percent / 100 }),
  })
  #outline = new SwitchControl({
    name: 'outline',
    label: t('outlineOnly'),
    onInput: (on) => this.onChange({ embed: on ? false : undefined }),
  })
  #about = create('p', { class: 'muted' })
  #size = create('p', { class: 'words', 'data-testid': 'file-size' })
  #copy = createButton('plain', t('copy'), () => this.onCopy())
  #timer = 0

  connectedCallback() {
    this.#copy.hidden = !canCopyPng()
    this.replaceChildren(
      this.#type,
      this.#about,
      this.#quality,
      this.#outline,
      create('div', { class: 'row spread' }, this.#size, this.#copy),
    )
  }

  disconnectedCallback() {
    clearTimeout(this.#timer)
  }

  /** @param {Photo} photo */
  show({ edits, result, fileVersion }) {
    const { type = 'image/png', quality = QUALITY / 100, embed = true } = edits.output
    this.#type.value = type
    this.#quality.hidden = type !== 'image/webp'
    this.#quality.value = Math.round(quality * 100)
    this.#outline.hidden = type !== 'image/svg+xml'
    this.#outline.value = !embed
    const about = {
      'image/png': t('aboutPng'),
      'image/webp': t('aboutWebp'),
      'image/svg+xml': embed ? t('aboutSvg') : t('aboutOutline'),
    }
    setText(this.#about, about[type])
    // Of another type it is many times as large, or as small.
    const bytes = result?.blob.type === type ? formatBytes(result.blob.size) : ''
    const isExact = fileVersion === edits.version
    setText(this.#size, isExact || !bytes ? bytes : t('aboutBytes', { bytes }))
  }

  /** Says on the button, for a moment, that the picture is in the clipboard. */
  confirmCopy() {
    clearTimeout(this.#timer)
    setText(this.#copy, t('copied'))
    this.#timer = setTimeout(() => setText(this.#copy, t('copy')), COPIED_FOR_MS)
  }
}

function canCopyPng() {
  if (typeof ClipboardItem === 'undefined' || !navigator.clipboard?.write) return false
  return ClipboardItem.supports?.('image/png') ?? true
}

customElements.define('gossamer-file-panel', FilePanel)
