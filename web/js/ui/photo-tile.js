/** One photo in the film strip: its thumbnail, its state, and the button that removes it. */

import { create, createIconButton, setLabel } from './dom.js'
import { doubtOf, doubtState } from './doubt.js'
import { createIcon } from './icons.js'
import { t } from './strings.js'
import { drawThumbnail } from './thumbnails.js'

/** @typedef {import('./queue.js').Photo} Photo */
/** @typedef {import('./icons.js').IconName} IconName */

/** @type {Record<import('./queue.js').PhotoState, IconName | null>} */
const BADGES = { waiting: 'clock', working: null, done: 'check', failed: 'alert', stopped: 'stop' }

export class PhotoTile extends HTMLElement {
  /** @type {(photo: Photo) => void} */
  onSelect = () => {}
  /** @type {(photo: Photo) => void} */
  onRemove = () => {}

  #thumbnail = create('canvas', { class: 'thumbnail', 'aria-hidden': 'true', hidden: true })
  #badge = create('span', { class: 'badge' })
  #bar = create('span', { class: 'bar' })
  #select = create(
    'button',
    { type: 'button', class: 'select' },
    createIcon('picture'),
    this.#thumbnail,
    this.#badge,
    create('span', { class: 'track' }, this.#bar),
  )
  /** @type {Photo | null} */
  #photo = null
  /** What the thumbnail was last asked to show. @type {Blob | null} */
  #source = null
  /** What it shows. @type {Blob | null} */
  #drawn = null

  /** @param {Photo} photo for the whole life of the tile */
  setPhoto(photo) {
    this.#photo = photo
    this.role = 'listitem'
    this.setAttribute('data-testid', 'photo')
    this.#select.onclick = () => this.onSelect(photo)
    const label = t('removePhoto', { name: photo.name })
    this.replaceChildren(
      this.#select,
      createIconButton('close', label, () => this.onRemove(photo)),
    )
    this.setSelected(false)
    this.update()
  }

  disconnectedCallback() {
    this.#source = this.#drawn = null
    this.#thumbnail.getContext('bitmaprenderer')?.transferFromImageBitmap(null)
  }

  /** @returns {HTMLCanvasElement | null} a small picture of its file, where there is one */
  get cutout() {
    return this.#drawn && this.#drawn === this.#photo?.result?.blob ? this.#thumbnail : null
  }

  /** Shows the photo's present state; tells whether it is another than before. */
  update() {
    const photo = this.#photo
    if (!photo) return false
    this.#bar.style.setProperty('--fraction', String(photo.progress?.fraction ?? 0))
    this.#drawFrom(photo.result?.blob ?? photo.file)
    const doubt = doubtOf(photo)
    const isNews = this.getAttribute('data-state') !== photo.state
    if (!isNews && this.getAttribute('data-doubt') === doubt) return false
    this.setAttribute('data-state', photo.state)
    if (doubt) this.setAttribute('data-doubt', doubt)
    else this.removeAttribute('data-doubt')
    const state = doubt ? doubtState(doubt) : stateWords(photo.state)
    setLabel(this.#select, t('photoLabel', { name: photo.name, state }))
    const badge = doubt ? 'alert' : BADGES[photo.state]
    this.#badge.replaceChildren(...(badge ? [createIcon(badge)] : []))
    return isNews
  }

  /** @param {boolean} selected the one of all photos that Tab stops at: arrows lead to the others */
  setSelected(selected) {
    for (const button of this.querySelectorAll('button')) button.tabIndex = selected ? 0 : -1
    if (selected) this.#select.setAttribute('aria-current', 'true')
    else this.#select.removeAttribute('aria-current')
    if (selected) this.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }

  focusSelect() {
    this.#select.focus()
  }

  /** @param {Blob} blob */
  async #drawFrom(blob) {
    if (blob === this.#source) return
    this.#source = blob
    const drawn = await drawThumbnail(this.#thumbnail, blob, () => this.#source === blob)
    if (!drawn) return
    this.#drawn = blob
    this.#thumbnail.hidden = false
    this.#thumbnail.classList.toggle('checkerboard', blob === this.#photo?.result?.blob)
  }
}

/** @param {import('./queue.js').PhotoState} state */
function stateWords(state) {
  const words = {
    waiting: t('stateWaiting'),
    working: t('stateWorking'),
    done: t('stateDone'),
    failed: t('stateFailed'),
    stopped: t('stateStopped'),
  }
  return words[state]
}

customElements.define('gossamer-photo-tile', PhotoTile)
