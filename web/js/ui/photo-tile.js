/** One photo in the film strip: its thumbnail, its state, and the button that removes it. */

import { create, createIconButton, setLabel } from './dom.js'
import { createIcon } from './icons.js'
import { strings } from './strings.js'
import { drawThumbnail } from './thumbnails.js'

/** @typedef {import('./queue.js').Photo} Photo */
/** @typedef {import('./icons.js').IconName} IconName */

/** @type {Record<import('./queue.js').PhotoState, IconName | null>} */
const BADGES = { waiting: 'clock', working: null, done: 'check', failed: 'alert' }

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

  /** @param {Photo} photo for the whole life of the tile */
  setPhoto(photo) {
    this.#photo = photo
    this.role = 'listitem'
    this.setAttribute('data-testid', 'photo')
    this.#select.onclick = () => this.onSelect(photo)
    this.replaceChildren(
      this.#select,
      createIconButton('close', strings.removePhoto(photo.name), () => this.onRemove(photo)),
    )
    this.update()
  }

  disconnectedCallback() {
    this.#source = null
    this.#thumbnail.height = this.#thumbnail.width = 0
  }

  /** Shows the photo's present state. */
  update() {
    const photo = this.#photo
    if (!photo) return
    this.#bar.style.setProperty('--fraction', String(photo.progress?.fraction ?? 0))
    this.#drawFrom(photo.result?.blob ?? photo.file)
    if (this.getAttribute('data-state') === photo.state) return
    this.setAttribute('data-state', photo.state)
    setLabel(this.#select, strings.photoLabel(photo.name, strings.photoStates[photo.state]))
    const badge = BADGES[photo.state]
    this.#badge.replaceChildren(...(badge ? [createIcon(badge)] : []))
  }

  /** @param {boolean} selected */
  setSelected(selected) {
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
    this.#thumbnail.hidden = false
    this.#thumbnail.classList.toggle('checkerboard', blob === this.#photo?.result?.blob)
  }
}

customElements.define('gossamer-photo-tile', PhotoTile)
