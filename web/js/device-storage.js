/** What the app keeps on this device, for a person to see and to delete. */

import { build } from './build.js'
import { inModels } from './model-database.js'
import { sharedPhotosCache } from './shared-photos.js'

/** @typedef {{ name: string, title: string, bytes: number, stored: boolean }} StoredModel */

/**
 * @returns {Promise<{ models: StoredModel[], usage_bytes: number }>} the networks of this site, and
 *   all that the browser counts, 0 where it does not tell
 */
export async function readStorage() {
  const keys = new Set(await storedModels())
  const models = build.models.map(({ name, title, artefacts }) => {
    const files = new Map(artefacts.map((artefact) => [artefact.sha256, artefact.bytes])) // some are one
    const stored = [...files.keys()].filter((sha256) => keys.has(sha256))
    const counted = stored.length > 0 ? stored : [...files.keys()].slice(-1) // WASM's, which all can run
    const bytes = counted.reduce((sum, sha256) => sum + (files.get(sha256) ?? 0), 0)
    return { name, title, bytes, stored: stored.length > 0 }
  })
  return { models, usage_bytes: await estimateUsage() }
}

/** @returns {Promise<number>} bytes, 0 where the browser does not tell */
export async function estimateUsage() {
  try {
    return (await navigator.storage?.estimate())?.usage ?? 0
  } catch {
    return 0
  }
}

let asked = false

/**
 * Asks the browser, once a visit, not to evict what is kept when space runs out. Some browsers ask
 * the person: call it when there is something worth keeping.
 */
export async function askToKeep() {
  if (asked) return
  asked = true
  try {
    if (!(await navigator.storage?.persisted())) await navigator.storage?.persist()
  } catch {
    // refused: then it may be evicted, and is fetched again
  }
}

/**
 * Deletes networks, the copies for offline use, and photos that were shared and not yet taken; not what
 * other sites of this origin need.
 */
export async function clearStorage() {
  const folder = new URL('.', location.href)
  await forgetModels(folder.pathname).catch(() => {}) // refused: nothing there
  const { caches } = globalThis // without encryption there are none
  for (const name of (await caches?.keys().catch(() => [])) ?? []) {
    const isBuild = name.startsWith('gossamer-') && name.endsWith(` ${folder.pathname}`)
    if (isBuild || name === sharedPhotosCache()) await caches.delete(name)
  }
  const registered = navigator.serviceWorker?.getRegistration(folder)
  await (await registered?.catch(() => undefined))?.unregister()
  const tabs = otherTabs()
  tabs.postMessage('cleared')
  tabs.close()
}

/** @param {() => void} onCleared what is kept was deleted, in this tab or in another one */
export function onStorageCleared(onCleared) {
  otherTabs().onmessage = onCleared
}

/** @returns {BroadcastChannel} of the pages of this site, which share what is kept */
function otherTabs() {
  return new BroadcastChannel(`gossamer ${new URL('.', location.href).pathname}`)
}

/** @returns {Promise<string[]>} sha256 of each */
async function storedModels() {
  return storedKeys().catch(() => [])
}

/** @returns {Promise<string[]>} as `pyside_logic/store.py` has written them */
async function storedKeys() {
  return (await inModels('readonly', (models) => models.getAllKeys())).map(String)
}

/** @param {string} place the path of this site: others' networks stay, as they have named them */
async function forgetModels(place) {
  const keys = await storedKeys()
  const others = keys.filter((key) => key.startsWith('names ') && key !== `names ${place}`)
  const wanted = new Set(others)
  for (const key of others) {
    const names = await inModels('readonly', (models) => models.get(key))
    for (const sha256 of (await names.text()).split(' ')) wanted.add(sha256)
  }
  for (const key of keys) {
    if (wanted.has(key.replace(/\.part$/, ''))) continue
    await inModels('readwrite', (models) => models.delete(key))
  }
}
