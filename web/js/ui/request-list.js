/** The lock in the header: every request that the page has made, for anyone to look at. */

import { onRequests } from '../gossamer.js'
import { closeWithFocus, create, createIconButton, setText } from './dom.js'
import { EngineList } from './engine-list.js'
import { createIcon } from './icons.js'
import { formatBytes, t } from './strings.js'

/** @typedef {import('../gossamer.js').NetworkRequest} NetworkRequest */
/** @typedef {{ ids: Set<string>, bytes: number, size: HTMLElement }} Asked one address */

export class RequestList extends HTMLElement {
  #label = create('span', { class: 'wide-only' })
  #button = create('button', { type: 'button', class: 'button quiet' })
  #summary = create('p', { class: 'muted' })
  #rows = create('ul', { class: 'requests', tabindex: '0' })
  #sheet = create('section', { class: 'sheet', popover: 'auto', id: 'requests-sheet' })
  #engines = new EngineList()
  /** @type {Map<string, Asked>} by address: workers that start anew fetch the same files again */
  #asked = new Map()
  #stopListening = () => {}

  connectedCallback() {
    this.setAttribute('data-testid', 'requests')
    this.#button.replaceChildren(createIcon('lock'), this.#label)
    this.#button.popoverTargetElement = this.#sheet
    const title = create('h2', { class: 'large', id: 'requests-title' }, t('requestsTitle'))
    const close = createIconButton('close', t('close'), () => this.#sheet.hidePopover())
    this.#sheet.setAttribute('aria-labelledby', title.id)
    this.#rows.setAttribute('aria-labelledby', title.id)
    this.#sheet.replaceChildren(
      create('div', { class: 'sheet-head' }, title, close),
      this.#summary,
      this.#rows,
      create('p', { class: 'muted' }, t('requestsNotListed')),
      this.#engines,
    )
    this.#sheet.addEventListener('toggle', () => this.#engines.refresh())
    closeWithFocus(this.#sheet, this.#button)
    this.replaceChildren(this.#button, this.#sheet)
    this.#asked.clear()
    this.#rows.replaceChildren()
    this.#summarise()
    this.#stopListening = onRequests((requests) => this.#record(requests))
  }

  disconnectedCallback() {
    this.#stopListening()
  }

  /** @param {NetworkRequest[]} requests */
  #record(requests) {
    for (const { id, url, bytes } of requests) {
      const asked = this.#asked.get(url) ?? this.#addRow(url)
      asked.ids.add(id) // the browser may tell of the page itself twice
      asked.bytes = Math.max(asked.bytes, bytes)
      const times = asked.ids.size > 1 ? `${asked.ids.size} × ` : ''
      setText(asked.size, times + formatBytes(asked.bytes))
    }
    this.#summarise()
  }

  /**
   * @param {string} url
   * @returns {Asked}
   */
  #addRow(url) {
    const size = create('span', { class: 'size muted' })
    const asked = { ids: new Set(), bytes: 0, size }
    this.#rows.append(create('li', {}, create('span', { class: 'name' }, shortName(url)), size))
    this.#asked.set(url, asked)
    return asked
  }

  #summarise() {
    const others = new Set(
      [...this.#asked.keys()]
        .map((url) => new URL(url).host)
        .filter((host) => host !== location.host),
    )
    const label = t(others.size === 0 ? 'nothingLeft' : 'askedElsewhere')
    setText(this.#label, label)
    this.#button.title = label
    this.#button.setAttribute('aria-label', label)
    setText(
      this.#summary,
      others.size === 0
        ? t('requestsAllFrom', { host: location.host })
        : t('requestsElsewhere', { hosts: [...others].join(', ') }),
    )
  }
}

/**
 * @param {string} address
 * @returns {string} relative to the site's folder; whole when it is from elsewhere
 */
function shortName(address) {
  const folder = new URL('.', location.href).href
  if (!address.startsWith(folder)) return address
  return address.slice(folder.length) || t('thisPage')
}

customElements.define('gossamer-request-list', RequestList)
