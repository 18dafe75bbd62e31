/**
 * Says that the app now works with no network, and how much it keeps on this device for that; or that
 * the device keeps nothing. What that means lies behind it, for whoever presses it.
 */

import { estimateUsage } from '../device-storage.js'
import { create, createIconButton, setLabel, setText } from './dom.js'
import { createIcon } from './icons.js'
import { formatBytes, t } from './strings.js'

export class OfflineState extends HTMLElement {
  #words = create('span', { class: 'wide-only' })
  #kept = create('span', { class: 'muted wide-only' })
  #button = create('button', { type: 'button', class: 'button quiet' })
  #title = create('h2', { class: 'large', id: 'offline-title' })
  #why = create('p')
  #keptToo = create('p', { class: 'muted' })
  #sheet = create('section', { class: 'sheet', popover: 'auto', id: 'offline-sheet' })
  #ready = false

  connectedCallback() {
    this.setAttribute('data-testid', 'offline-state')
    this.hidden = !this.#ready
    this.#button.popoverTargetElement = this.#sheet
    const close = createIconButton('close', t('close'), () => this.#sheet.hidePopover())
    this.#sheet.setAttribute('aria-labelledby', this.#title.id)
    this.#sheet.replaceChildren(
      create('div', { class: 'sheet-head' }, this.#title, close),
      this.#why,
      this.#keptToo,
    )
    this.replaceChildren(this.#button, this.#sheet)
  }

  markRefused() {
    this.#ready = false
    this.hidden = false
    this.setAttribute('data-refused', '')
    this.#show('alert', t('notKept'), '', t('notKeptWhy'))
  }

  markReady() {
    this.#ready = true
    this.hidden = false
    this.#show('offline', t('readyOffline'), '', t('readyOfflineWhy'))
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
    const kept = usage_bytes > 0 ? t('kept', { bytes: formatBytes(usage_bytes) }) : ''
    if (this.#ready) this.#show('offline', t('readyOffline'), kept, t('readyOfflineWhy'))
  }

  /**
   * @param {import('./icons.js').IconName} icon
   * @param {string} words
   * @param {string} kept
   * @param {string} why
   */
  #show(icon, words, kept, why) {
    setText(this.#words, words)
    setText(this.#kept, kept)
    setText(this.#title, words)
    setText(this.#why, why)
    setText(this.#keptToo, kept)
    this.#keptToo.hidden = !kept
    this.#button.replaceChildren(createIcon(icon), this.#words, this.#kept)
    setLabel(this.#button, [words, kept].filter(Boolean).join(', '))
  }
}

customElements.define('gossamer-offline-state', OfflineState)
