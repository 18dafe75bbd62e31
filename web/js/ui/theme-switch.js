/** System, light or dark colours; remembered where the browser allows it. */

import { create, setLabel } from './dom.js'
import { createIcon } from './icons.js'
import { recall, remember } from './settings.js'
import { t } from './strings.js'

/** @typedef {'system' | 'light' | 'dark'} Theme */

/** @type {Record<Theme, Theme>} */
const NEXT = { system: 'light', light: 'dark', dark: 'system' }

export class ThemeSwitch extends HTMLElement {
  #button = create('button', { type: 'button', class: 'button quiet icon-only' })
  /** @type {Theme} */
  #theme = 'system'

  connectedCallback() {
    this.replaceChildren(this.#button)
    this.#button.onclick = () => {
      this.#apply(NEXT[this.#theme])
      remember('theme', this.#theme)
    }
    const chosen = recall('theme', /** @type {string} */ ('system'))
    this.#apply(chosen === 'light' || chosen === 'dark' ? chosen : 'system')
  }

  /** @param {Theme} theme */
  #apply(theme) {
    this.#theme = theme
    if (theme === 'system') document.documentElement.removeAttribute('data-theme')
    else document.documentElement.setAttribute('data-theme', theme)
    setLabel(this.#button, themeWords(theme))
    this.#button.replaceChildren(createIcon(theme))
  }
}

/** @param {Theme} theme */
function themeWords(theme) {
  if (theme === 'system') return t('themeSystem')
  return theme === 'light' ? t('themeLight') : t('themeDark')
}

customElements.define('gossamer-theme-switch', ThemeSwitch)
