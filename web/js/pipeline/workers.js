/** The workers of a page. */

import { assetUrl } from '../assets.js'
import { WorkerClient } from '../rpc/client.js'

/** @typedef {import('../rpc/messages.js').InferenceCalls} InferenceCalls */
/** @typedef {import('../rpc/messages.js').PythonCalls} PythonCalls */

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

/** Pyodide says nothing of what has come of its files; a line that takes longer has gone dead. */
const PYTHON_START_LIMIT_MS = 600_000

/** @type {'asleep' | 'starting' | 'running'} */
let python = 'asleep'
let goOn = () => {}
/** Resolves when fetching something else no longer delays Python's first start. */
export const pythonArrived = new Promise((resolve) => {
  goOn = () => resolve(undefined)
})

export function isPythonStarting() {
  return python === 'starting'
}

/** @type {Promise<unknown> | null} */
let starting = null

/** Waits for a start that goes on; tells whether Python runs now. */
export async function pythonRuns() {
  await starting?.catch(() => {})
  return python === 'running'
}

/**
 * Starts Python; later calls wait for the same start.
 * @param {AbortSignal | undefined} signal ends the waiting, not the start
 * @returns {Promise<unknown>} may be awaited later
 */
export function startPython(signal) {
  starting ??= start().finally(() => {
    starting = null // it may have to start anew one day
  })
  return startedEarly(unlessAborted(starting, signal))
}

async function start() {
  if (python === 'asleep') python = 'starting'
  const options = { onProgress: goOn, limit_ms: PYTHON_START_LIMIT_MS }
  try {
    await pythonWorker.call('start', null, 'refine', options)
    python = 'running'
  } catch (error) {
    python = 'asleep'
    throw error
  } finally {
    goOn()
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

/** Ends all workers at once, whatever they are at; the next call starts anew what it needs. */
export function endWorkers() {
  for (const worker of [inferenceWorker, pythonWorker, thumbnailWorker]) worker.end()
  usage = null
  if (python === 'running') python = 'asleep'
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

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<T>} rejects with `signal.reason` at once
 */
export async function unlessAborted(promise, signal) {
  startedEarly(promise) // where nobody waits for it any more
  signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    const forget = () => signal?.removeEventListener('abort', abort)
    promise.finally(forget).then(resolve, reject)
  })
}
