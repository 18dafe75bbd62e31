/** The file that `<gossamer-cutout>` gives its form. */

import { cutoutName } from '../file-names.js'

/**
 * @param {Blob} blob
 * @param {unknown} source that it was cut out of, for its name
 */
export function cutoutFile(blob, source) {
  const name = source instanceof File ? source.name : nameIn(source)
  return new File([blob], cutoutName(name, blob.type), { type: blob.type })
}

/**
 * @param {unknown} source
 * @returns {string} of the file at an address
 */
function nameIn(source) {
  if (typeof source !== 'string' && !(source instanceof URL)) return 'picture'
  const { pathname } = new URL(source, document.baseURI)
  const name = pathname.slice(pathname.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(name) || 'picture'
  } catch {
    return name // it holds a % of its own
  }
}
