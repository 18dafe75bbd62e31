/** All photos of this visit, in a row or a column, and the way to add more. */

import { create } from './dom.js'
import { createIcon } from './icons.js'
import { PhotoTile } from './photo-tile.js'
import { t } from './strings.js'

/** @typedef {import('./queue.js').Photo} Photo */

export class FilmStrip extends HTMLElement {
  /** @type {(photo: Photo) => void} */
  onSelect = () => {}
  /** @type {(photo: Photo) => void} */
  onRemove = () => {}
  onAdd = () => {}

  /** @type {Map<Photo, PhotoTile>} */
  #tiles = new Map()
  #list = create('div', { role: 'list', class: 'tiles', 'aria-label': t('photos') })

  connectedCallback() {
    this.setAttribute('data-testid', 'film-strip')
    const add = create('button', { type: 'button', class: 'add', 'aria-label': t('addPhotos') })
    add.append(createIcon('plus'), t('add'))
    add.onclick = () => this.onAdd()
    this.replaceChildren(this.#list, add)
    this.#list.onkeydown = (event) => this.#keyPressed(event)
  }

  /**
   * @param {Photo} photo
   * @param {number} [index] its place, the last one unless it was there before
   */
  addPhoto(photo, index = this.#tiles.size) {
    const tile = new PhotoTile()
    tile.onSelect = (selected) => this.onSelect(selected)
    tile.onRemove = (removed) => this.onRemove(removed)
    tile.setPhoto(photo)
    this.#list.insertBefore(tile, this.#list.children[index] ?? null)
    const entries = [...this.#tiles]
    entries.splice(index, 0, [photo, tile])
    this.#tiles = new Map(entries)
  }

  /** @param {Photo} photo */
  removePhoto(photo) {
    this.#tiles.get(photo)?.remove()
    this.#tiles.delete(photo)
  }

  /**
   * @param {Photo} photo
   * @returns {boolean} whether its state is another than before
   */
  update(photo) {
    return this.#tiles.get(photo)?.update() ?? false
  }

  /**
   * @param {Photo | null} photo
   * @returns {HTMLCanvasElement | null} a small picture of its file, where there is one
   */
  cutoutOf(photo) {
    return (photo && this.#tiles.get(photo)?.cutout) ?? null
  }

  /** @param {Photo | null} photo */
  setSelected(photo) {
    for (const [candidate, tile] of this.#tiles) tile.setSelected(candidate === photo)
  }

  /** @param {Photo} photo */
  focusPhoto(photo) {
    this.#tiles.get(photo)?.focusSelect()
  }

  /** @param {KeyboardEvent} event arrows walk along the strip, Delete removes, one photo a press */
  #keyPressed(event) {
    const entries = [...this.#tiles]
    const index = entries.findIndex(([, tile]) => tile.contains(document.activeElement))
    const photo = entries[index]?.[0]
    if (!photo) return
    if (event.key === 'Delete') return event.repeat ? undefined : this.onRemove(photo)
    const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key]
    const next = step && entries[index + step]?.[0]
    if (!next) return
    event.preventDefault()
    this.onSelect(next)
    this.focusPhoto(next)
  }
}

customElements.define('gossamer-film-strip', FilmStrip)
