/** Networks by what people want of them. */

import { MODELS } from '../gossamer.js'
import { t } from './strings.js'

/** A site may ship any of these. */
const KNOWN = /** @type {const} */ ({
  u2netp: 'modelFast',
  u2net: 'modelFine',
  modnet: 'modelPortrait',
})

/**
 * @param {string} name of a network of this site
 * @returns {string} one that nobody has words for keeps its title
 */
export function modelWords(name) {
  if (name in KNOWN) return t(KNOWN[/** @type {keyof typeof KNOWN} */ (name)])
  return MODELS.find((model) => model.name === name)?.title ?? name
}

/** @param {string} name @returns {boolean} whether it can be chosen here */
export function isOffered(name) {
  return name === 'auto' || MODELS.some((model) => model.name === name)
}
