/** The page's end of a worker: calls with ids, and an end for every call, whatever happens. */

import { fromWire, GossamerError } from './errors.js'

/** @typedef {import('./messages.js').Progress} Progress */
/** @typedef {import('./messages.js').Reply} Reply */
/** @typedef {import('./errors.js').Stage} Stage */
/** @typedef {import('./requests.js').NetworkRequest} NetworkRequest */

/**
 * @typedef {{
 *   transfer?: Transferable[],
 *   signal?: AbortSignal | undefined,
 *   onProgress?: ((progress: Progress) => void) | undefined,
 * }} CallOptions
 */

/**
 * @typedef {{
 *   resolve: (payload: any) => void,
 *   reject: (reason: unknown) => void,
 *   onProgress: ((progress: Progress) => void) | undefined,
 *   stage: Stage,
 * }} Pending
 */

let lastWorkerId = 0

/**
 * A worker that is started by the first call, and started anew by the first call after its death.
 * @template {Record<string, [any, any]>} Calls
 */
export class WorkerClient {
  /** @type {(requests: NetworkRequest[]) => void} what the worker has asked the network for */
  onRequests = () => {}

  /** @type {Worker | null} */
  #worker = null
  /** @type {Map<number, Pending>} */
  #pending = new Map()
  #lastId = 0
  #watch = new AbortController()
  #releasePageLock = () => {}

  /**
   * @param {(options: { type: 'module', name: string }) => Worker} spawn
   * @param {string} title what people call this worker, for its death notice
   */
  constructor(spawn, title) {
    this.spawn = spawn
    this.title = title
  }

  /**
   * @template {keyof Calls & string} Type
   * @param {Type} type
   * @param {Calls[Type][0]} payload
   * @param {Stage} stage where an error belongs that the worker cannot report itself
   * @param {CallOptions} [options]
   * @returns {Promise<Calls[Type][1]>} rejects with a GossamerError, or with `signal.reason`
   */
  call(type, payload, stage, { transfer = [], signal, onProgress } = {}) {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const worker = this.#running()
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const abort = () => {
        if (!this.#pending.delete(id)) return
        worker.postMessage({ id, type: 'cancel' })
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', abort, { once: true })
      const settled = () => signal?.removeEventListener('abort', abort)
      this.#pending.set(id, {
        resolve: (value) => {
          settled()
          resolve(value)
        },
        reject: (reason) => {
          settled()
          reject(reason)
        },
        onProgress,
        stage,
      })
      try {
        worker.postMessage({ id, type, payload }, transfer)
      } catch (error) {
        this.#take(id)?.reject(
          new GossamerError('invalid_argument', stage, `Expected a picture, received: ${error}`),
        )
      }
    })
  }

  /** Ends the worker and rejects whatever waits for it. */
  end(reason = 'was ended') {
    if (!this.#worker) return
    this.#watch.abort()
    this.#releasePageLock()
    this.#worker.terminate()
    this.#worker = null
    const waiting = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject, stage } of waiting) {
      reject(
        new GossamerError(
          'worker_died',
          stage,
          `The ${this.title} ${reason}. Try again: it starts anew.`,
        ),
      )
    }
  }

  /** @returns {Worker} */
  #running() {
    if (this.#worker) return this.#worker
    const lock = `gossamer-worker-${++lastWorkerId}-${Math.random().toString(36).slice(2)}`
    const worker = this.spawn({ type: 'module', name: lock })
    worker.addEventListener('message', ({ data }) => {
      if (data?.type === 'ready' && data.watched) this.#watchFor(worker, lock)
      else if (data?.type === 'ready')
        return // only events will tell of its death
      else if (data?.type === 'requests') this.onRequests(data.requests)
      else this.#receive(data)
    })
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      if (worker === this.#worker) this.end(`stopped: ${event.message || 'it could not be loaded'}`)
    })
    worker.addEventListener('messageerror', () => {
      if (worker === this.#worker) this.end('sent something unreadable')
    })
    this.#worker = worker
    this.#releasePageLock = holdLock(`${lock}-page`)
    return worker
  }

  /**
   * A worker that the browser kills fires no event. But it holds a Web Lock as long as it lives:
   * whoever gets that lock knows that the worker is gone.
   * @param {Worker} worker
   * @param {string} lock
   */
  #watchFor(worker, lock) {
    if (worker !== this.#worker) return
    this.#watch = new AbortController()
    navigator.locks
      ?.request(lock, { signal: this.#watch.signal }, () => {
        if (worker === this.#worker) this.end('was stopped by the browser')
      })
      .catch(() => {}) // aborted by end(), or locks are refused: then only events tell
  }

  /** @param {Exclude<Reply, { type: 'ready' | 'requests' }>} reply other libraries in a worker post too */
  #receive(reply) {
    if (reply?.type === 'progress') {
      const { stage, done, total } = reply
      this.#pending.get(reply.id)?.onProgress?.({ stage, done, total })
    } else if (reply?.type === 'result') {
      this.#take(reply.id)?.resolve(reply.payload)
    } else if (reply?.type === 'error' && reply.error) {
      this.#take(reply.id)?.reject(fromWire(reply.error))
      if (reply.error.fatal) this.end('could not be loaded')
    }
  }

  /** @param {number} id */
  #take(id) {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }
}

/**
 * @param {string} name
 * @returns {() => void} releases it
 */
function holdLock(name) {
  let release = () => {}
  const held = new Promise((resolve) => {
    release = () => resolve(null)
  })
  navigator.locks?.request(name, () => held).catch(() => {}) // refused: the worker will not see it
  return release
}
