/** The workers of a page, and the network that is ready in one of them. */

import { assetUrl } from '../assets.js'
import { build } from '../build.js'
import { WorkerClient } from '../rpc/client.js'
import { GossamerError } from '../rpc/errors.js'

/** @typedef {import('../assets.js').Model} Model */
/** @typedef {import('../rpc/messages.js').InferenceCalls} InferenceCalls */
/** @typedef {import('../rpc/messages.js').PythonCalls} PythonCalls */
/** @typedef {import('../rpc/client.js').CallOptions} CallOptions */
/** @typedef {InferenceCalls['load'][1]} Loaded */

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

/** @type {WorkerClient<import('../rpc/messages.js').ThumbnailCalls>} */
export const thumbnailWorker = new WorkerClient(
  (options) => new Worker(new URL('../workers/thumbnail-worker.js', import.meta.url), options),
  'part that makes small pictures',
)

/**
 * Makes the network ready: from this device when it is there and sound, else by a download.
 * @param {Model} model
 * @param {Pick<CallOptions, 'signal' | 'onProgress'>} options
 * @returns {Promise<Loaded>}
 */
export async function loadNetwork(model, { signal, onProgress }) {
  try {
    return await inferenceWorker.call('load', { model: model.name, blob: null }, 'model', {
      signal,
    })
  } catch (error) {
    if (!(error instanceof GossamerError)) throw error
    if (error.code !== 'model_unavailable' && error.code !== 'model_corrupt') throw error
  }
  const { blob } = await pythonWorker.call(
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
  return inferenceWorker.call('load', { model: model.name, blob }, 'model', { signal })
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
