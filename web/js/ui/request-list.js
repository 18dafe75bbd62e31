/** The lock in the header: every request that the page has made, for anyone to look at. */

import { onRequests } from '../gossamer.js'
import { create, createIconButton, setText } from './dom.js'
import { EngineList } from './engine-list.js'
import { createIcon } from './icons.js'
import { formatBytes, t } from './strings.js'

/** @typedef {import('../gossamer.js').NetworkRequest} NetworkRequest */

export class RequestList extends HTMLElement {
  #label = create('span', { class: 'wide-only' })
  #button = create('button', { type: 'button', class: 'button quiet' })
  #summary = create('p', { class: 'muted' })
  #rows = create('ul', { class: 'requests', tabindex: '0' })
  #sheet = create('section', { class: 'sheet', popover: 'auto', id: 'requests-sheet' })
  #engines = new EngineList()
  /** @type {NetworkRequest[]} */
  #requests = []
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
    this.replaceChildren(this.#button, this.#sheet)
    this.#requests = []
    this.#rows.replaceChildren()
    this.#summarise()
    this.#stopListening = onRequests((requests) => this.#record(requests))
  }

  disconnectedCallback() {
    this.#stopListening()
  }

  /** @param {NetworkRequest[]} requests */
  #record(requests) {
    for (const request of requests) {
      if (this.#requests.some((other) => isSame(other, request))) continue
      this.#requests.push(request)
      this.#rows.append(
        create(
          'li',
          {},
          create('span', { class: 'name' }, shortName(request.url)),
          create('span', { class: 'size muted' }, formatBytes(request.bytes)),
        ),
      )
    }
    this.#summarise()
  }

  #summarise() {
    const others = new Set(
      this.#requests.map(({ url }) => new URL(url).host).filter((host) => host !== location.host),
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
 * @param {NetworkRequest} one
 * @param {NetworkRequest} other the browser may tell of the page itself twice
 */
function isSame(one, other) {
  return one.url === other.url && one.startedAt === other.startedAt
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
