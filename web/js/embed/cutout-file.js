/** The file that `<gossamer-cutout>` gives its form. */

import { cutoutName } from '../file-names.js'
import { kindOf } from '../values.js'

/**
 * @param {Blob} blob
 * @param {unknown} source that it was cut out of, for its name
 */
export function cutoutFile(blob, source) {
  const name = kindOf(source) === 'File' ? /** @type {File} */ (source).name : nameIn(source)
  return new File([blob], cutoutName(name, blob.type), { type: blob.type })
}

/**
 * @param {unknown} source
 * @returns {string} of the file at an address
 */
function nameIn(source) {
  if (typeof source !== 'string' && kindOf(source) !== 'URL') return 'picture'
  const { pathname, protocol } = new URL(String(source), document.baseURI)
  if (protocol === 'data:' || protocol === 'blob:') return 'picture' // they name no file
  const name = pathname.slice(pathname.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(name) || 'picture'
  } catch {
    return name // it holds a % of its own
  }
}
