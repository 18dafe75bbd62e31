/** The two workers of a page, and the network that is ready in one of them. */

import { assetUrl } from '../assets.js'
import { build } from '../build.js'
import { WorkerClient } from '../rpc/client.js'
import { GossamerError } from '../rpc/errors.js'

/** @typedef {import('../assets.js').Model} Model */
/** @typedef {import('../rpc/messages.js').InferenceCalls} InferenceCalls */
/** @typedef {import('../rpc/messages.js').PythonCalls} PythonCalls */
/** @typedef {import('../rpc/client.js').CallOptions} CallOptions */
/** `stored`: whether the network is kept on this device. */
/** @typedef {InferenceCalls['load'][1] & { stored: boolean }} Loaded */

/** @type {WorkerClient<InferenceCalls>} */
export const inferenceWorker = new WorkerClient(
  (options) => new Worker(new URL('../workers/inference-worker.js', import.meta.url), options),
  'part that finds the subject',
)

/** @type {WorkerClient<PythonCalls>} */
export const pythonWorker = new WorkerClient(
  (options) => new Worker(new URL('../workers/python-worker.js', import.meta.url), options),
  'part that refines edges',
)

/** sha256 of the networks that the device would not keep. */
const onlyInMemory = new Set()

/**
 * Makes the network ready: from this device when it is there and sound, else by a download.
 * @param {Model} model
 * @param {Pick<CallOptions, 'signal' | 'onProgress'>} options
 * @returns {Promise<Loaded>}
 */
export async function loadNetwork(model, { signal, onProgress }) {
  try {
    const request = { model: model.name, blob: null }
    const loaded = await inferenceWorker.call('load', request, 'model', { signal })
    return { ...loaded, stored: !onlyInMemory.has(model.sha256) }
  } catch (error) {
    if (!(error instanceof GossamerError)) throw error
    if (error.code !== 'model_unavailable' && error.code !== 'model_corrupt') throw error
  }
  const { stored, blob } = await pythonWorker.call(
    'ensureModel',
    {
      name: model.title,
      sha256: model.sha256,
      bytes: model.bytes,
      url: assetUrl(model.path),
      keep: build.models.map(({ sha256 }) => sha256),
    },
    'model',
    { signal, onProgress },
  )
  if (stored) onlyInMemory.delete(model.sha256)
  else onlyInMemory.add(model.sha256)
  const loaded = await inferenceWorker.call('load', { model: model.name, blob }, 'model', {
    signal,
  })
  return { ...loaded, stored }
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
