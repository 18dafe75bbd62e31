/** Networks by what people want of them. */

import { MODELS } from '../gossamer.js'
import { recall } from './settings.js'
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

/** @returns {string} the network that a person chose, if the site still has it */
export function chosenModel() {
  const chosen = recall('model', 'auto')
  return MODELS.some(({ name }) => name === chosen) ? chosen : 'auto'
}
