/** Every word that a person reads in the app: `web/locales`, in the language of this visit. */

import { chooseLanguage, LANGUAGES, loadCatalogue } from '../locales.js'
import { recall, remember } from './settings.js'

/** @typedef {keyof typeof import('../../locales/en.json')} StringKey */
/** @typedef {import('./progress.js').StageName} StageName */

export { LANGUAGES }

/** @type {string} */
export let language
/** @type {import('../locales.js').Catalogue} */
let catalogue
/** The one that was asked for last. */
let latest = ''

await setLanguage(chooseLanguage([recall('language', ''), ...navigator.languages]))

/**
 * @param {string} wanted one of LANGUAGES; elements made before it keep their words
 * @returns {Promise<boolean>} false where another one was asked for meanwhile
 */
export async function setLanguage(wanted) {
  latest = wanted
  const words = await loadCatalogue(wanted)
  if (latest !== wanted) return false
  catalogue = words
  language = wanted
  document.documentElement.lang = wanted
  return true
}

/**
 * @param {string} chosen remembered on this device, before what the browser says
 * @returns {Promise<boolean>} as `setLanguage`
 */
export async function chooseForGood(chosen) {
  const isSpoken = await setLanguage(chosen)
  if (isSpoken) remember('language', chosen)
  return isSpoken
}

/**
 * @param {StringKey} key
 * @param {Record<string, string | number>} [values] take the places of {their names}
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = catalogue[key] ?? key
  return text.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place))
}

/**
 * @param {StageName} stage
 * @param {number} [doneBytes] only read for the model download
 * @param {number} [totalBytes] 0 when nothing is being downloaded
 */
export function stageWords(stage, doneBytes = 0, totalBytes = 0) {
  if (stage === 'decode' || stage === 'preprocess') return t('stageOpen')
  if (stage === 'infer') return t('stageInfer')
  if (stage === 'refine') return t('stageRefine')
  if (stage === 'encode') return t('stageEncode')
  if (totalBytes === 0) return t('stageReady')
  const [done, total] = [formatBytes(doneBytes, totalBytes), formatBytes(totalBytes)]
  return t('stageDownload', { done, total })
}

/**
 * @param {string} notice of the public API, in English
 */
export function noticeWords(notice) {
  if (language === 'en') return notice
  return notice.endsWith('took over.') ? t('engineChanged') : t('workRestarted')
}

/**
 * The public API's messages are English and as exact as can be; elsewhere the kind of error has to
 * do.
 * @param {unknown} error
 * @param {string} name of the file
 */
export function errorWords(error, name) {
  const reason = error instanceof Error ? error.message : String(error)
  if (!(error instanceof Error) || error.name !== 'GossamerError') {
    return t('errorUnexpected', { name, reason })
  }
  if (language === 'en') return reason
  const { code, stage } = /** @type {import('../gossamer.js').GossamerError} */ (error)
  switch (code) {
    case 'empty_file':
      return t('errorEmpty', { name })
    case 'unsupported_format':
      return t('errorFormat', { name })
    case 'truncated_image':
      return t('errorTruncated', { name })
    case 'corrupt_image':
      return t('errorCorrupt', { name })
    case 'image_too_large':
      return t('errorTooLarge', { name })
    case 'image_too_small':
      return t('errorTooSmall', { name })
    case 'out_of_memory':
      return t('errorMemory', { name })
    case 'model_unavailable':
    case 'model_corrupt':
      return t('errorNetwork', { name })
    case 'worker_died':
      return t('errorStopped', { name })
    case 'backend_unavailable':
      return t('errorEngine', { name })
    case 'invalid_argument':
      if (stage === 'encode') return t('errorForFormat', { name })
      break
    case 'aborted':
    case 'internal':
      break // nobody's photo is at fault: the message itself has to do
    default:
      void (/** @satisfies {never} */ (code)) // one that has no place above does not compile
  }
  return t('errorUnexpected', { name, reason })
}

/**
 * @param {number} bytes
 * @param {number} scaleBytes decides the unit, so that "0.3 of 4.6 MB" does not change unit midway
 * @returns {string} decimal kB or MB, in French ko or Mo
 */
export function formatBytes(bytes, scaleBytes = bytes) {
  if (scaleBytes < 1e6) return inUnit(Math.ceil(bytes / 1e3), 'kilobyte', 0)
  return inUnit(bytes / 1e6, 'megabyte', scaleBytes < 1e7 ? 1 : 0)
}

/**
 * @param {number} percent
 * @returns {string} whole, with the space before the sign where the language has one
 */
export function formatPercent(percent) {
  return (Math.round(percent) / 100).toLocaleString(language, { style: 'percent' })
}

/**
 * @param {number} value
 * @param {'kilobyte' | 'megabyte'} unit
 * @param {number} digits after the point
 */
function inUnit(value, unit, digits) {
  return value.toLocaleString(language, {
    style: 'unit',
    unit,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}
