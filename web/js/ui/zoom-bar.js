/** How large the photo is shown, and the buttons that change it. */

import { createButton, createIconButton, setLabel, setText } from './dom.js'
import { formatPercent, t } from './strings.js'

export class ZoomBar extends HTMLElement {
  /** @type {(steps: number) => void} */
  onZoom = () => {}
  /** Between the whole photo and its own size. */
  onToggle = () => {}

  #percent = createButton('quiet', '', () => this.onToggle())

  connectedCallback() {
    this.setAttribute('data-testid', 'zoom')
    this.setAttribute('role', 'group')
    this.setAttribute('aria-label', t('zoom'))
    this.hidden = true
    this.replaceChildren(
      createIconButton('minus', t('zoomOut'), () => this.onZoom(-1)),
      this.#percent,
      createIconButton('plus', t('zoomIn'), () => this.onZoom(1)),
    )
  }

  /**
   * @param {number} scale screen pixels of a photo pixel
   * @param {boolean} fits
   */
  show(scale, fits) {
    const percent = formatPercent(scale * 100)
    setText(this.#percent, percent)
    setLabel(this.#percent, t(fits ? 'zoomedActual' : 'zoomedFit', { percent }))
  }
}

customElements.define('gossamer-zoom-bar', ZoomBar)
