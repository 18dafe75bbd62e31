/** The words of the app in the languages that it has; one file a language in `web/locales`. */

import { assetUrl } from './assets.js'
import { build } from './build.js'

/** @typedef {Record<string, string>} Catalogue */

export const LANGUAGES = Object.keys(build.locales)

/**
 * @param {readonly string[]} wanted BCP 47 tags, the best one first
 * @returns {string} one of LANGUAGES, the first when none is wanted
 */
export function chooseLanguage(wanted) {
  for (const tag of wanted) {
    const exact = LANGUAGES.find((language) => language.toLowerCase() === tag.toLowerCase())
    if (exact) return exact
    const [primary] = tag.toLowerCase().split('-')
    const related = LANGUAGES.find((language) => language.split('-')[0] === primary)
    if (related) return related
  }
  return /** @type {string} */ (LANGUAGES[0])
}

/**
 * @param {string} language one of LANGUAGES
 * @returns {Promise<Catalogue>}
 */
export async function loadCatalogue(language) {
  const response = await fetch(assetUrl(/** @type {string} */ (build.locales[language])))
  if (!response.ok) throw new Error(`Expected the words in ${language}, got ${response.status}.`)
  return response.json()
}
