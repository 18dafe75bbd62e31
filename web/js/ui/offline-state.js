/**
 * Says that the app now works with no network, and how much it keeps on this device for that; or that
 * the device keeps nothing.
 */

import { estimateUsage } from '../device-storage.js'
import { create, setText } from './dom.js'
import { createIcon } from './icons.js'
import { formatBytes, t } from './strings.js'

export class OfflineState extends HTMLElement {
  #kept = create('span', { class: 'muted' })
  #ready = false

  connectedCallback() {
    this.setAttribute('data-testid', 'offline-state')
    this.hidden = !this.#ready
    this.#show('offline', t('readyOffline'))
    this.#kept.classList.add('wide-only')
  }

  markRefused() {
    this.#ready = false
    this.hidden = false
    this.setAttribute('data-refused', '')
    setText(this.#kept, '')
    this.#show('alert', t('notKept'))
    this.title = t('notKeptWhy')
  }

  /**
   * @param {import('./icons.js').IconName} icon
   * @param {string} words
   */
  #show(icon, words) {
    this.replaceChildren(
      createIcon(icon),
      create('span', { class: 'wide-only' }, words),
      this.#kept,
    )
  }

  markReady() {
    this.#ready = true
    this.hidden = false
    this.refresh()
  }

  /** It is fetched again when it is needed: nothing to warn of. */
  markDeleted() {
    this.#ready = false
    this.hidden = true
  }

  /** Reads anew how much is kept. */
  async refresh() {
    if (!this.#ready) return
    const usage_bytes = await estimateUsage()
    setText(this.#kept, usage_bytes > 0 ? t('kept', { bytes: formatBytes(usage_bytes) }) : '')
    this.title = [t('readyOffline'), this.#kept.textContent].filter(Boolean).join(', ')
  }
}

customElements.define('gossamer-offline-state', OfflineState)
