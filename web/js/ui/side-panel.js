/** What can be changed about a photo: beside the stage, or in a sheet under it, one part at a time. */

import { BackgroundPanel } from './background-panel.js'
import { create } from './dom.js'
import { EdgePanel } from './edge-panel.js'
import { FilePanel } from './file-panel.js'
import { t } from './strings.js'
import { TouchUpPanel } from './touch-up-panel.js'

/** @typedef {'edges' | 'background' | 'touch-up' | 'file'} Part */

export class SidePanel extends HTMLElement {
  /** @type {(part: Part | null) => void} the part that is open in the sheet */
  onOpen = () => {}

  edges = new EdgePanel()
  background = new BackgroundPanel()
  touchUp = new TouchUpPanel()
  file = new FilePanel()

  /** @type {Map<Part, { tab: HTMLButtonElement, section: HTMLElement }>} */
  #parts = new Map()
  #sections = create('div', { class: 'sections' })
  /** @type {Part | null} */
  #open = null

  connectedCallback() {
    this.setAttribute('data-testid', 'panel')
    this.setAttribute('role', 'region')
    this.setAttribute('aria-label', t('panelLabel'))
    const tabs = create('div', { class: 'tabs', role: 'group', 'aria-label': t('panelLabel') })
    const sections = []
    for (const [part, title, content] of this.#contents()) {
      const heading = create('h2', {}, title)
      const section = create('section', { id: `panel-${part}`, tabindex: '-1' }, heading, content)
      section.setAttribute('aria-label', title)
      const tab = create('button', { type: 'button', class: 'tab' }, title)
      tab.setAttribute('aria-controls', section.id)
      tab.setAttribute('data-testid', `tab-${part}`)
      tab.onclick = ({ detail }) => {
        this.open(part === this.#open ? null : part)
        if (this.#open && detail === 0) section.focus() // by a key: what it opens lies before it
      }
      this.#parts.set(part, { tab, section })
      tabs.append(tab)
      sections.push(section)
    }
    this.#sections.replaceChildren(...sections)
    this.replaceChildren(this.#sections, tabs)
    this.onkeydown = (/** @type {KeyboardEvent} */ { key }) => {
      if (key === 'Escape') this.#close()
    }
    this.open(null)
  }

  /** The sheet, of which its tab is what remains. */
  #close() {
    const tab = this.#open && this.#parts.get(this.#open)?.tab
    if (!tab?.offsetParent) return // no sheet in a wide window
    this.open(null)
    tab.focus()
  }

  /** @param {Part | null} part shown in the sheet; a wide window shows all of them anyway */
  open(part) {
    if (part !== this.#open) this.#sections.scrollTop = 0 // where another part was left
    this.#open = part
    for (const [candidate, { tab, section }] of this.#parts) {
      tab.setAttribute('aria-expanded', String(candidate === part))
      section.toggleAttribute('data-open', candidate === part)
    }
    this.onOpen(part)
  }

  /**
   * @param {import('./queue.js').Photo} photo
   * @param {number} count of all photos
   */
  show(photo, count) {
    this.#sections.inert = photo.state !== 'done' // the tabs are the way back to the strip
    this.edges.show(photo.edits, count)
    this.background.show(photo.edits)
    this.touchUp.show(photo)
    this.file.show(photo)
  }

  /** @returns {[Part, string, HTMLElement][]} */
  #contents() {
    return [
      ['edges', t('edges'), this.edges],
      ['background', t('background'), this.background],
      ['touch-up', t('touchUp'), this.touchUp],
      ['file', t('file'), this.file],
    ]
  }
}

customElements.define('gossamer-side-panel', SidePanel)
