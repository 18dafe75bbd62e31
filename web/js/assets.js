/** Where this build's files lie, whatever folder they are served from. */

import { build } from './build.js'
import { GossamerError } from './rpc/errors.js'

/** @typedef {(typeof build.models)[number]} Model */

// Under a name of its own: bundlers rewrite `new URL(..., import.meta.url)`, and would look for files.
const here = import.meta.url

/** @type {string | null} a URL that ends with a slash; null until it is needed */
let root = null

/**
 * @param {string} path relative to the root of the site or of the package
 * @returns {string} an absolute URL; throws `invalid_argument` where the files are another origin's,
 *   from which no browser starts workers
 */
export function assetUrl(path) {
  root ??= ownOrigin(new URL('../', here), here)
  return new URL(path, root).href
}

/**
 * Says where the files are, for a page whose bundler has moved this module away from them.
 * @param {string | URL} publicPath their folder, relative to the page
 */
export function setRoot(publicPath) {
  const isAddress = typeof publicPath === 'string' || publicPath instanceof URL
  const url = isAddress ? parsedUrl(publicPath) : null
  if (!url) {
    throw invalidPublicPath(`received ${JSON.stringify(publicPath) ?? typeof publicPath}.`)
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  const wanted = ownOrigin(url, publicPath)
  if (root !== null && root !== wanted) {
    throw invalidPublicPath(`received ${wanted} after ${root} was in use. Set it once, at first.`)
  }
  root = wanted
}

/** @param {string | URL} address */
function parsedUrl(address) {
  try {
    // A page of srcdoc has no address of its own to count from.
    const { document } = /** @type {{ document: { baseURI: string } }} */ (
      /** @type {unknown} */ (globalThis)
    )
    return new URL(address, document.baseURI)
  } catch {
    return null
  }
}

/**
 * @param {URL} url
 * @param {unknown} given
 */
function ownOrigin(url, given) {
  if (url.origin === globalThis.origin) return new URL('.', url).href
  throw invalidPublicPath(
    `received ${given}. Serve the package's folder and name it: configure({ publicPath }).`,
  )
}

/** @param {string} received */
function invalidPublicPath(received) {
  return new GossamerError(
    'invalid_argument',
    'model',
    `Expected publicPath to be a folder of this page's own origin, ${received}`,
  )
}

/**
 * @param {string} name 'auto', or a network's name in the catalogue
 * @returns {Model} throws `invalid_argument` when this site does not ship it
 */
export function findModel(name) {
  const wanted = name === 'auto' ? build.defaultModel : name
  const model = build.models.find((candidate) => candidate.name === wanted)
  if (model) return model
  const known = build.models.map((candidate) => `'${candidate.name}'`).join(', ')
  throw new GossamerError(
    'invalid_argument',
    'model',
    `Expected 'auto' or one of ${known} for model, received '${name}'.`,
  )
}
