/** System, light or dark colours; remembered where the browser allows it. */

import { create, setLabel } from './dom.js'
import { createIcon } from './icons.js'
import { strings } from './strings.js'

/** @typedef {'system' | 'light' | 'dark'} Theme */

const KEY = 'gossamer-theme'
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
      remember(this.#theme)
    }
    this.#apply(remembered())
  }

  /** @param {Theme} theme */
  #apply(theme) {
    this.#theme = theme
    if (theme === 'system') document.documentElement.removeAttribute('data-theme')
    else document.documentElement.setAttribute('data-theme', theme)
    setLabel(this.#button, strings.themes[theme])
    this.#button.replaceChildren(createIcon(theme))
  }
}

/** @returns {Theme} */
function remembered() {
  try {
    const stored = localStorage.getItem(KEY)
    return stored === 'light' || stored === 'dark' ? stored : 'system'
  } catch {
    return 'system' // storage is refused: the choice lasts as long as the page
  }
}

/** @param {Theme} theme */
function remember(theme) {
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // storage is refused: the choice lasts as long as the page
  }
}

customElements.define('gossamer-theme-switch', ThemeSwitch)
