import type { GossamerCutout } from './cutout-element.js'

declare global {
  interface HTMLElementTagNameMap {
    'gossamer-cutout': GossamerCutout
  }
}
