/**
 * Files of this build as they were built. Their names hold hashes, so that a browser may keep them for
 * ever: also half a file that a host has answered with while the site was being put there.
 */

import { assetUrl } from '../assets.js'

/**
 * Asks once more, and past the browser's cache, for what does not come as it was built.
 * @param {string} path
 * @param {string} [sha256] or how it begins; by default what stands in the file's name
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function fetchWhole(path, sha256 = sha256InName(path)) {
  try {
    return await fetchOnce(path, sha256, 'default')
  } catch {
    return fetchOnce(path, sha256, 'reload')
  }
}

/**
 * @param {string} path
 * @param {string} sha256
 * @param {RequestCache} cache
 */
async function fetchOnce(path, sha256, cache) {
  const response = await fetch(assetUrl(path), { cache })
  if (!response.ok) throw new Error(`the site answered ${response.status}`)
  const bytes = await response.arrayBuffer()
  // Pages that come without encryption have no crypto.
  if (crypto.subtle && !(await sha256Of(bytes)).startsWith(sha256)) {
    throw new Error('the site answered with another file, or a part of it')
  }
  return new Uint8Array(bytes)
}

/** @param {string} path `hashed_name` of `js_modules.py` has made it */
function sha256InName(path) {
  return /\.([0-9a-f]{10})\.\w+$/.exec(path)?.[1] ?? ''
}

/**
 * @param {ArrayBuffer} bytes
 * @returns {Promise<string>} hexadecimal
 */
export async function sha256Of(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
