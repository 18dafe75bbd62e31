/** The workers of a page, and the network that is ready in one of them. */

import { assetUrl, NETWORKS } from '../assets.js'
import { WorkerClient } from '../rpc/client.js'
import { GossamerError } from '../rpc/errors.js'

/** @typedef {import('../assets.js').Model} Model */
/** @typedef {import('../rpc/messages.js').InferenceCalls} InferenceCalls */
/** @typedef {import('../rpc/messages.js').PythonCalls} PythonCalls */
/** @typedef {import('../rpc/client.js').CallOptions} CallOptions */
/** @typedef {import('../rpc/messages.js').Engine} Engine */

/** @type {WorkerClient<InferenceCalls>} */
export const inferenceWorker = new WorkerClient(
  () => assetUrl('js/workers/inference-worker.js'),
  'part that finds the subject',
)

/** @type {WorkerClient<PythonCalls>} */
export const pythonWorker = new WorkerClient(
  () => assetUrl('js/workers/python-worker.js'),
  'part that refines edges',
)

/** @type {WorkerClient<import('../rpc/messages.js').ThumbnailCalls>} */
export const thumbnailWorker = /* @__PURE__ */ new WorkerClient(
  () => assetUrl('js/workers/thumbnail-worker.js'),
  'part that makes small pictures',
)

/** sha256 of the networks that the device would not keep. */
const onlyInMemory = new Set()

/** @param {import('../build.js').Artefact} artefact that was loaded */
export function isKept({ sha256 }) {
  return !onlyInMemory.has(sha256)
}

/**
 * Makes the network ready: from this device when it is there and sound, else by a download.
 * @param {Model} model
 * @param {Engine} engine
 * @param {Pick<CallOptions, 'signal' | 'onProgress' | 'limit_ms'>} options
 */
export async function loadNetwork(model, engine, { signal, onProgress, limit_ms }) {
  const load = (/** @type {Blob | null} */ blob) =>
    inferenceWorker.call('load', { model: model.name, engine, blob }, 'model', { signal, limit_ms })
  try {
    return await load(null)
  } catch (error) {
    if (!(error instanceof GossamerError)) throw error
    if (error.code !== 'model_unavailable' && error.code !== 'model_corrupt') throw error
  }
  return load(await download(model, engine, { signal, onProgress }))
}

/**
 * @param {Model} model
 * @param {Engine} engine
 * @param {Pick<CallOptions, 'signal' | 'onProgress'>} options
 * @returns {Promise<Blob | null>} null where the model store keeps it
 */
async function download({ title }, { artefact }, { signal, onProgress }) {
  const { sha256, bytes, path } = artefact
  const keep = NETWORKS.flatMap(({ artefacts }) => artefacts.map((one) => one.sha256))
  const place = new URL(assetUrl('')).pathname
  const request = { name: title, sha256, bytes, url: assetUrl(path), place, keep }
  try {
    const { blob, stored } = await pythonWorker.call('ensureModel', request, 'model', {
      signal,
      onProgress,
    })
    if (stored) onlyInMemory.delete(sha256)
    else onlyInMemory.add(sha256)
    return blob
  } catch (error) {
    signal?.throwIfAborted()
    const isPythons =
      error instanceof GossamerError && ['worker_died', 'backend_unavailable'].includes(error.code)
    if (!isPythons) throw error
    // Not the inference worker's doing, whose engine would be blamed for it.
    throw new GossamerError('model_unavailable', 'model', error.message)
  }
}

// ONNX Runtime's memory never shrinks, and a worker that runs for days collects what leaks.
const MAX_RUNS = 100
const MAX_GROWTH_BYTES = 256e6

/** @type {{ runs: number, first_bytes: number } | null} */
let usage = null

/**
 * Ends the inference worker between two photos when it has run often or its memory has grown.
 * @param {number} heap_bytes after a run
 */
export function countRun(heap_bytes) {
  // Our own engine's memory does not grow, so that there may be none of ONNX Runtime's at first.
  if (!usage?.first_bytes) usage = { runs: usage?.runs ?? 0, first_bytes: heap_bytes }
  usage.runs++
  if (usage.runs < MAX_RUNS && heap_bytes - usage.first_bytes < MAX_GROWTH_BYTES) return
  usage = null
  inferenceWorker.retire()
}

/**
 * A promise that is awaited later: its failure is that await's, not an unhandled one before.
 * @template T
 * @param {Promise<T>} promise
 */
export function startedEarly(promise) {
  promise.catch(() => {})
  return promise
}
