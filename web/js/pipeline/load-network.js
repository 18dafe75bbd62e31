/** Stage `model`: brings a network to the worker that runs it, from this device or from the site. */

import { assetUrl } from '../assets.js'
import { build } from '../build.js'
import { inModels } from '../model-database.js'
import { GossamerError } from '../rpc/errors.js'
import { sha256Of } from './whole-file.js'
import {
  inferenceWorker,
  isPythonStarting,
  pythonArrived,
  pythonRuns,
  pythonWorker,
  unlessAborted,
} from './workers.js'

/** @typedef {import('../build.js').Artefact} Artefact */
/** @typedef {import('../assets.js').Model} Model */
/** @typedef {import('../rpc/client.js').CallOptions} CallOptions */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('../rpc/messages.js').Progress} Progress */

/** Of longer files Python keeps what has come while they come (`store.py`), and so fetches all. */
const HEAD_START_BYTES = 8 << 20
/** As in `browser_storage.py`. */
const SILENCE_LIMIT_MS = 30_000

/** @type {Map<string, Blob>} by sha256: whole ones that the model store does not have, or not yet */
const inHand = new Map()
/** @type {Map<string, Promise<Blob>>} by sha256: on their way */
const arriving = new Map()
/** What the model store is at; nobody waits for it to have a network run. */
let keeping = Promise.resolve()
/** Whether the model store knows, or will, what this build names. */
let isNamed = false

/**
 * @param {Model} model
 * @param {Artefact} artefact that was loaded
 * @returns {Promise<boolean>} whether the device keeps it
 */
export async function isKept(model, artefact) {
  await keeping
  const blob = inHand.get(artefact.sha256)
  // Python may have died over it.
  if (blob) await keep(model, artefact, blob).catch(() => {})
  return !inHand.has(artefact.sha256)
}

/**
 * Makes the network ready: from this device when it is there and sound, else by a download.
 * @param {Model} model
 * @param {Engine} engine
 * @param {Pick<CallOptions, 'signal' | 'onProgress' | 'limit_ms'>} options
 */
export async function loadNetwork(model, engine, { signal, onProgress, limit_ms }) {
  const { artefact } = engine
  const load = () => {
    const blob = inHand.get(artefact.sha256) ?? null
    const request = { model: model.name, engine, blob }
    return inferenceWorker.call('load', request, 'model', { signal, limit_ms })
  }
  try {
    const loaded = await load()
    nameNetworks()
    return loaded
  } catch (error) {
    if (!(error instanceof GossamerError)) throw error
    if (error.code !== 'model_unavailable' && error.code !== 'model_corrupt') throw error
  }
  const tell = (/** @type {Progress} */ progress) => {
    if (!signal?.aborted) onProgress?.(progress)
  }
  const begun = await unlessAborted(headStart(model, artefact, tell), signal)
  if (!inHand.has(artefact.sha256)) await keep(model, artefact, begun, { signal, onProgress })
  return load()
}

/**
 * Has the model store keep a network, which fetches what is missing.
 * @param {Model} model
 * @param {Artefact} artefact
 * @param {Blob} received its beginning, or all of it
 * @param {Pick<CallOptions, 'signal' | 'onProgress'>} [options]
 */
async function keep({ title }, { sha256, bytes, path }, received, { signal, onProgress } = {}) {
  const request = { name: title, sha256, bytes, url: assetUrl(path), ...namedHere(), received }
  try {
    const options = { signal, onProgress }
    const { blob } = await pythonWorker.call('ensureModel', request, 'model', options)
    if (blob) inHand.set(sha256, blob)
    else inHand.delete(sha256)
    isNamed = true
  } catch (error) {
    signal?.throwIfAborted()
    const isPythons =
      error instanceof GossamerError && ['worker_died', 'backend_unavailable'].includes(error.code)
    if (!isPythons) throw error
    // Not the inference worker's doing, whose engine would be blamed for it.
    throw new GossamerError('model_unavailable', 'model', error.message)
  }
}

/**
 * A network that was here, perhaps as another copy of Gossamer's at this origin, is this one's, too; and
 * the one before it is not. Once Python runs; nobody waits for it.
 */
async function nameNetworks() {
  if (isNamed) return
  isNamed = true
  try {
    isNamed = await pythonRuns() // to start it once more would take its error from the photo's call
    if (isNamed) await pythonWorker.call('nameModels', namedHere(), 'model')
  } catch {
    isNamed = false // the next photo tries again
  }
}

/** Where this copy of Gossamer lies, and the sha256 of its networks. */
function namedHere() {
  const keep = build.models.flatMap(({ artefacts }) => artefacts.map(({ sha256 }) => sha256))
  return { place: new URL(assetUrl('')).pathname, keep }
}

/**
 * On a first visit, a network that is soon here does not wait for Python to start: it is fetched
 * and runs meanwhile, and Python keeps it when it can.
 * @param {Model} model
 * @param {Artefact} artefact
 * @param {(progress: Progress) => void} onProgress
 * @returns {Promise<Blob>} what has come; all of it, where it is sound, is in hand
 */
function headStart(model, artefact, onProgress) {
  const { sha256 } = artefact
  const known = arriving.get(sha256)
  if (known) return known
  const coming = fetchEarly(model, artefact, onProgress).finally(() => arriving.delete(sha256))
  arriving.set(sha256, coming)
  return coming
}

/**
 * @param {Model} model
 * @param {Artefact} artefact
 * @param {(progress: Progress) => void} onProgress
 */
async function fetchEarly(model, artefact, onProgress) {
  const { sha256, bytes } = artefact
  // Pages that come without encryption have no crypto; then Python's check must do.
  const isWorthIt = isPythonStarting() && bytes < HEAD_START_BYTES && crypto.subtle
  if (!isWorthIt || inHand.has(sha256) || (await isBegun(sha256))) return new Blob()
  await Promise.race([pythonArrived, elapsed(SILENCE_LIMIT_MS)])
  const received = await fetchBeginning(artefact, onProgress)
  if (received.size < bytes) return received
  if ((await sha256Of(await received.arrayBuffer())) !== sha256) return new Blob()
  inHand.set(sha256, received)
  const kept = keep(model, artefact, received).catch(() => {}) // it stays in hand
  keeping = keeping.then(() => kept)
  return received
}

/**
 * @param {Artefact} artefact
 * @param {(progress: Progress) => void} onProgress
 * @returns {Promise<Blob>} as much as came; more than all where it is another file
 */
async function fetchBeginning({ path, bytes }, onProgress) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const chunks = []
  let done = 0
  const given = new AbortController()
  let silence = setTimeout(() => given.abort(), SILENCE_LIMIT_MS)
  try {
    const { ok, body } = await fetch(assetUrl(path), { cache: 'no-store', signal: given.signal })
    const reader = ok ? body?.getReader() : undefined
    while (reader && done <= bytes) {
      const { value } = await reader.read()
      if (!value) break
      clearTimeout(silence)
      silence = setTimeout(() => given.abort(), SILENCE_LIMIT_MS)
      chunks.push(value)
      done += value.length
      onProgress({ stage: 'model', done: Math.min(done, bytes), total: bytes })
    }
  } catch {
    // Python takes it up, and tells what is wrong.
  } finally {
    clearTimeout(silence)
    given.abort()
  }
  return new Blob(chunks)
}

/**
 * @param {string} sha256
 * @returns {Promise<boolean>} whether an earlier visit has left a part, from where Python goes on
 */
async function isBegun(sha256) {
  try {
    return (await inModels('readonly', (models) => models.count(`${sha256}.part`))) > 0
  } catch {
    return false // storage is refused
  }
}

/** @param {number} wait_ms */
function elapsed(wait_ms) {
  return new Promise((resolve) => setTimeout(resolve, wait_ms))
}
