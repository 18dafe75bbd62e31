/**
 * Part of the service worker: which networks an update brings.
 *
 * Python keeps networks in IndexedDB (`pyside_logic/store.py`), and does so when a page runs. But a
 * build takes over as soon as no page does, and the next visit may be one without a network.
 */

/** @typedef {typeof import('./build.js').build} Build */
/** @typedef {import('./build.js').Artefact} Artefact */

/** As in `model-database.js`. */
const OPEN_LIMIT_MS = 10_000

/**
 * What another build has in the place of the networks that are stored: the same network for the same
 * backend, or else for WASM, which all devices run; and its first network in the place of the first one.
 * @param {Build} before
 * @param {Build} next
 * @param {Set<string>} stored sha256s
 * @returns {Artefact[]} those that are not stored themselves
 */
export function nextNetworks(before, next, stored) {
  const found = before.models.flatMap(({ name, artefacts }) => {
    const names = name === before.defaultModel ? [name, next.defaultModel] : [name]
    const models = next.models.filter((model) => names.includes(model.name))
    const run = artefacts.filter(({ sha256 }) => stored.has(sha256))
    return run.flatMap((artefact) => models.map((model) => follower(artefact, model.artefacts)))
  })
  return found.filter((artefact) => artefact !== undefined && !stored.has(artefact.sha256))
}

/**
 * @param {Artefact} before
 * @param {Artefact[]} artefacts
 */
function follower({ backend, precision }, artefacts) {
  const ofBackend = artefacts.filter((artefact) => artefact.backend === backend)
  const same = ofBackend.find((artefact) => artefact.precision === precision)
  return same ?? ofBackend[0] ?? artefacts.find((artefact) => artefact.backend === 'wasm')
}

/**
 * @param {Cache} cache of a build
 * @returns {Promise<Build | null>} what its `js/build.js` says; null where that was cleared, or says it
 *   as builds of another time do: none keeps a later one out
 */
export async function buildIn(cache) {
  const request = (await cache.keys()).find(({ url }) => /\/js\/build\.[^/]+\.js$/.test(url))
  const text = (request && (await (await cache.match(request))?.text())) ?? ''
  try {
    const found = JSON.parse(text.slice(text.indexOf('= {') + 2))
    return isBuild(found) ? found : null
  } catch {
    return null
  }
}

/** @param {any} found */
function isBuild({ models }) {
  return models.every((/** @type {any} */ { name, artefacts }) => name && Array.isArray(artefacts))
}

/** @returns {Promise<Set<string>>} sha256s; none where storage is refused, or does not answer */
export async function storedNetworks() {
  const late = new Promise((_resolve, reject) => setTimeout(reject, OPEN_LIMIT_MS))
  try {
    return new Set(await Promise.race([storedKeys(), late]))
  } catch {
    return new Set()
  }
}

/** @returns {Promise<string[]>} rejects where there is no database, and makes none */
function storedKeys() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('gossamer', 1)
    opening.onupgradeneeded = () => opening.transaction?.abort()
    opening.onerror = reject
    opening.onsuccess = () => {
      const database = opening.result
      const asked = database.transaction('models').objectStore('models').getAllKeys()
      asked.onerror = reject
      asked.onsuccess = () => {
        database.close()
        resolve(asked.result.map(String))
      }
    }
  })
}
