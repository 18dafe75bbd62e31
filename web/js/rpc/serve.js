/** The worker's end: one queue, one handler at a time, every request answered. */

import { GossamerError, toWire } from './errors.js'
import { watchRequests } from './requests.js'

/** @typedef {import('./errors.js').Stage} Stage */
/** @typedef {import('./messages.js').Request} Request */
/** @typedef {(done: number, total: number) => void} OnProgress */
/** @typedef {() => void} ThrowIfCancelled for handlers that hold the thread for long */

/** A result whose buffers move to the page instead of being copied. */
export class Moved {
  /**
   * @param {unknown} payload
   * @param {Transferable[]} transfer
   */
  constructor(payload, transfer) {
    this.payload = payload
    this.transfer = transfer
  }
}

/**
 * A handler and the stage that its errors and progress belong to.
 * @typedef {[
 *   Stage,
 *   (payload: any, onProgress: OnProgress, throwIfCancelled: ThrowIfCancelled) => unknown,
 * ]} Handler
 */

/** @returns {DedicatedWorkerGlobalScope} */
function workerScope() {
  return /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis))
}

/**
 * Tells the page that this worker is of no use any more; it will be ended.
 * @param {string} reason
 */
export function reportLost(reason) {
  workerScope().postMessage({ type: 'lost', reason })
}

/** @param {import('./requests.js').NetworkRequest[]} requests */
function reportRequests(requests) {
  workerScope().postMessage({ type: 'requests', requests })
}

/**
 * Answers requests with `handlers`, in the order in which they came. A handler that fails answers
 * with an error and leaves the queue as it was.
 * @param {Record<string, Handler>} handlers
 */
export function serve(handlers) {
  const scope = workerScope()
  /** @type {Set<number>} */
  const waiting = new Set()
  let queue = Promise.resolve()

  scope.addEventListener('message', ({ data }) => {
    if (data.type === 'cancel') {
      waiting.delete(data.id)
    } else {
      waiting.add(data.id)
      queue = queue.then(() => answer(data))
    }
  })

  /** @param {Request} request */
  async function answer({ id, type, payload, cancelled }) {
    if (!waiting.delete(id)) return // cancelled
    scope.postMessage({ id, type: 'started' })
    const known = Object.hasOwn(handlers, type) ? handlers[type] : undefined
    const [stage, handler] = known ?? ['model', unknownType(type)]
    try {
      const onProgress = (/** @type {number} */ done, /** @type {number} */ total) =>
        scope.postMessage({ id, type: 'progress', stage, done, total })
      const throwIfCancelled = () => {
        if (!cancelled || !Atomics.load(cancelled, 0)) return
        throw new GossamerError('aborted', stage, 'Nobody waits for this any more.')
      }
      const result = await handler(payload, onProgress, throwIfCancelled)
      if (result instanceof Moved) {
        scope.postMessage({ id, type: 'result', payload: result.payload }, result.transfer)
      } else {
        scope.postMessage({ id, type: 'result', payload: result ?? null })
      }
    } catch (error) {
      scope.postMessage({ id, type: 'error', error: toWire(error, stage) })
    }
  }

  watchRequests(reportRequests)
  holdLock(scope.name)
    .then(() => seesLock(`${scope.name}-page`))
    .catch(() => false) // locks are refused
    .then((watched) => scope.postMessage({ type: 'ready', watched }))
}

/**
 * Takes the lock that this worker is named after, for life; see `WorkerClient`.
 * @param {string} name
 * @returns {Promise<void>} settles when the lock is held, or when there are none
 */
function holdLock(name) {
  if (!navigator.locks) return Promise.resolve()
  return new Promise((resolve) => {
    navigator.locks
      .request(name, () => {
        resolve()
        return new Promise(() => {})
      })
      .catch(() => resolve())
  })
}

/**
 * Once somebody has cleared the site's storage, the page's locks and those of a new worker are not the
 * same ones: then the page must not take its worker for dead.
 * @param {string} name of a lock that the page holds
 */
async function seesLock(name) {
  const { held = [] } = (await navigator.locks?.query()) ?? {}
  return held.some((lock) => lock.name === name)
}

/** @param {string} type */
function unknownType(type) {
  return () => {
    throw new GossamerError('internal', 'model', `Expected a known message, received '${type}'.`)
  }
}
