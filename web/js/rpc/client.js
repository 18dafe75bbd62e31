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
 *   limit_ms?: number | undefined,
 * }} CallOptions
 *
 * - `limit_ms`: how long the worker may be at it, once it has begun, before it counts as hung. While
 *   the whole page is asleep, an eighth of it passes at most.
 */

/**
 * How a worker died, the `cause` of the error: 'waiting' is the fate of calls that it had not begun,
 * whatever else happened.
 * @typedef {'waiting' | 'stopped' | 'hung' | 'lost'} Death
 */

/**
 * @typedef {{
 *   resolve: (payload: any) => void,
 *   reject: (reason: unknown) => void,
 *   onProgress: ((progress: Progress) => void) | undefined,
 *   stage: Stage,
 *   started: boolean,
 * }} Pending
 */

/** A limit passes in so many steps, of which a page that was asleep misses one. */
const STEPS_OF_LIMIT = 8

let lastWorkerId = 0

/**
 * A worker that is started by the first call, and started anew by the first call after its death.
 * @template {Record<string, [any, any]>} Calls
 */
export class WorkerClient {
  /** @type {Worker | null} */
  #worker = null
  /** @type {Map<number, Pending>} */
  #pending = new Map()
  /** @type {Map<number, number>} limits by id; they outlive the calls, as what hangs does */
  #limits_ms = new Map()
  /** @type {Map<number, ReturnType<typeof setTimeout>>} of what the worker is at */
  #timers = new Map()
  #lastId = 0
  #retiring = false
  #watch = new AbortController()
  #releasePageLock = () => {}
  /** @type {NetworkRequest[]} */
  #requests = []
  /** @type {((requests: NetworkRequest[]) => void) | null} */
  #onRequests = null

  /**
   * @param {() => string} locate the address of the worker's module
   * @param {string} title what people call this worker, for its death notice
   * @param {(url: string, options: { type: 'module', name: string }) => Worker} [spawn]
   */
  constructor(locate, title, spawn = (url, options) => new Worker(url, options)) {
    this.locate = locate
    this.title = title
    this.spawn = spawn
  }

  /** @param {(requests: NetworkRequest[]) => void} listener is told of earlier ones too */
  set onRequests(listener) {
    this.#onRequests = listener
    if (this.#requests.length > 0) listener(this.#requests.splice(0))
  }

  /**
   * @template {keyof Calls & string} Type
   * @param {Type} type
   * @param {Calls[Type][0]} payload
   * @param {Stage} stage where an error belongs that the worker cannot report itself
   * @param {CallOptions} [options]
   * @returns {Promise<Calls[Type][1]>} rejects with a GossamerError, or with `signal.reason`
   */
  call(type, payload, stage, { transfer = [], signal, onProgress, limit_ms } = {}) {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const worker = this.#running()
    const id = ++this.#lastId
    if (limit_ms !== undefined) this.#limits_ms.set(id, limit_ms)
    const cancelled = signal ? cancelFlag() : null
    return new Promise((resolve, reject) => {
      const abort = () => {
        if (!this.#pending.delete(id)) return
        if (cancelled) Atomics.store(cancelled, 0, 1)
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
        started: false,
      })
      try {
        worker.postMessage({ id, type, payload, cancelled }, transfer)
      } catch (error) {
        this.#take(id)?.reject(
          new GossamerError('invalid_argument', stage, `Expected a picture, received: ${error}`),
        )
      }
    })
  }

  /**
   * Ends the worker and rejects whatever waits for it.
   * @param {string} [reason]
   * @param {Death} [death] of the call that the worker was at
   */
  end(reason = 'was ended', death = 'waiting') {
    if (!this.#worker) return
    this.#watch.abort()
    this.#releasePageLock()
    this.#worker.terminate()
    this.#worker = null
    this.#retiring = false
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    this.#limits_ms.clear()
    const waiting = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject, stage, started } of waiting) {
      const message = `The ${this.title} ${reason}. Try again: it starts anew.`
      reject(
        new GossamerError('worker_died', stage, message, { cause: started ? death : 'waiting' }),
      )
    }
  }

  /** Ends the worker as soon as nothing waits for it, to give its memory back. */
  retire() {
    this.#retiring = true
    if (this.#pending.size === 0) this.end()
  }

  get isRunning() {
    return this.#worker !== null
  }

  /** @returns {Worker} */
  #running() {
    if (this.#worker) return this.#worker
    const lock = `gossamer-worker-${++lastWorkerId}-${Math.random().toString(36).slice(2)}`
    const url = this.locate()
    const worker = this.spawn(url, { type: 'module', name: lock })
    worker.addEventListener('message', ({ data }) => {
      if (data?.type === 'ready') {
        if (data.watched) this.#watchFor(worker, lock) // else only events will tell of its death
      } else if (data?.type === 'requests') this.#record(data.requests)
      else if (worker !== this.#worker) return
      else if (data?.type === 'lost') this.end(`stopped: ${data.reason}`, 'lost')
      else this.#receive(data)
    })
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      if (worker === this.#worker) this.#die(`stopped: ${event.message || notLoaded(url)}`)
    })
    worker.addEventListener('messageerror', () => {
      if (worker === this.#worker) this.#die('sent something unreadable')
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
        if (worker === this.#worker) this.#die('was stopped by the browser')
      })
      .catch(() => {}) // aborted by end(), or locks are refused: then only events tell
  }

  /** @param {NetworkRequest[]} requests that the worker has made */
  #record(requests) {
    if (this.#onRequests) this.#onRequests(requests)
    else this.#requests.push(...requests)
  }

  /** @param {string} reason */
  #die(reason) {
    this.end(reason, 'stopped')
  }

  /** @param {Exclude<Reply, { type: 'ready' | 'requests' | 'lost' }>} reply other libraries post too */
  #receive(reply) {
    if (reply?.type === 'started') {
      this.#start(reply.id)
    } else if (reply?.type === 'progress') {
      const { stage, done, total } = reply
      this.#pending.get(reply.id)?.onProgress?.({ stage, done, total })
    } else if (reply?.type === 'result') {
      this.#take(reply.id)?.resolve(reply.payload)
    } else if (reply?.type === 'error' && reply.error) {
      this.#take(reply.id)?.reject(fromWire(reply.error))
      const { code, fatal } = reply.error
      if (fatal) this.end(code === 'out_of_memory' ? 'ran out of memory' : 'could not be loaded')
    }
  }

  /** @param {number} id */
  #start(id) {
    const pending = this.#pending.get(id)
    if (pending) pending.started = true
    const limit_ms = this.#limits_ms.get(id)
    if (limit_ms === undefined) return
    let steps = STEPS_OF_LIMIT
    const wait = () => {
      if (steps-- === 0) this.end(`gave no answer within ${Math.round(limit_ms / 1000)} s`, 'hung')
      else this.#timers.set(id, setTimeout(wait, limit_ms / STEPS_OF_LIMIT))
    }
    wait()
  }

  /** @param {number} id */
  #take(id) {
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
    this.#limits_ms.delete(id)
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#retiring && this.#pending.size === 0) this.end()
    return pending
  }
}

/** @param {string} url of a worker's module; browsers do not say why it could not be had */
function notLoaded(url) {
  const words = `${url} could not be loaded`
  return globalThis.crossOriginIsolated
    ? `${words}, or came without Cross-Origin-Embedder-Policy: require-corp, which isolated pages ask for`
    : words
}

/**
 * Shared memory reaches a worker in the middle of its work, where no message does. Without isolation
 * there is none: then a call that has begun runs to its end, and nobody waits for it.
 * @returns {Int32Array<SharedArrayBuffer> | null} [1] once the call is cancelled
 */
function cancelFlag() {
  const isShared = globalThis.crossOriginIsolated && globalThis.SharedArrayBuffer // WebKitGTK: none
  return isShared ? new Int32Array(new SharedArrayBuffer(4)) : null
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
