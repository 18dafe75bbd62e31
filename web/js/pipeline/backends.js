/**
 * Which engine runs a network on this device: the first one, in the order of `engines.js`, that has
 * reproduced the picture whose answer is known.
 */

import { build } from '../build.js'
import { GossamerError } from '../rpc/errors.js'
import { BACKENDS, enginesFor, idOf, isSmallDevice, titleOf } from './engines.js'
import { loadNetwork } from './load-network.js'
import { Once } from './once.js'
import { forgetVerdicts, openVerdicts, remember, verdictOn } from './verdicts.js'
import { inferenceWorker } from './workers.js'

/** @typedef {import('../build.js').Backend} Backend */
/** @typedef {import('../build.js').Model} Model */
/** @typedef {import('../build.js').Precision} Precision */
/** @typedef {import('../rpc/messages.js').Device} Device */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('../rpc/messages.js').Progress} Progress */
/** @typedef {import('../rpc/messages.js').Proof} Proof */
/** @typedef {import('./engines.js').Wanted} Wanted */

/**
 * How far the answer may be off, of 0..1: a byte's rounding and, with fewer bits, what they cost.
 * Wrong operators are off by tenths.
 * @type {Record<Precision, { max: number, mean: number }>}
 */
const TOLERANCES = {
  fp32: { max: 0.01, mean: 0.003 },
  fp16: { max: 0.05, mean: 0.01 },
  int8: { max: 0.05, mean: 0.01 },
}

// Starting fetches the engine's own files, up to 27 MB.
const START_LIMIT_MS = 300_000
/** What a GPU has not done by then WASM has long done; and a slow phone has nothing but WASM. */
const PROOF_LIMITS_MS = { webgpu: 90_000, webgl: 90_000, wasm: 300_000 }
// A photo takes the network as long as the proof did, or less. This much more is a hang.
const SLOWEST = 10
const LEAST_RUN_LIMIT_MS = 20_000

/** How often a worker that died of something else than its engine is started anew for one job. */
const MAX_RESTARTS = 4

/**
 * `state` is 'untried' until the engine is needed.
 * @typedef {{
 *   title: string,
 *   backend: Backend,
 *   precision: Precision,
 *   threads: number,
 *   state: 'passed' | 'failed' | 'untried',
 *   reason: string,
 *   run_ms: number | null,
 * }} EngineReport
 */

/** @type {Once<'device', Device>} */
const once = new Once()

function thisDevice() {
  return once.get('device', async () => {
    const backends = BACKENDS.filter((backend) =>
      build.models.some(({ artefacts }) => artefacts.some((one) => one.backend === backend)),
    )
    const device = await inferenceWorker.call('detect', { backends }, 'model')
    await openVerdicts(device)
    return device
  })
}

/** One job's way through the engines: picks one, and after a setback another. */
export class EngineChoice {
  /** @type {Promise<Engine> | null} */
  #choosing = null
  /** @type {Engine | null} */
  #engine = null
  /** @type {Map<string, string>} what this job has seen fail, and why */
  #setbacks = new Map()
  /** @type {unknown} why the files of some engine did not come */
  #unreachable = null
  /** @type {Set<string>} their sha256 */
  #missingFiles = new Set()
  #restarts = 0
  #told = 0
  #run_ms = 0

  /**
   * @param {{
   *   model: Model,
   *   backend: Wanted,
   *   signal?: AbortSignal | undefined,
   *   onProgress?: ((progress: Progress) => void) | undefined,
   *   onNotice: (notice: string) => void,
   *   accepts?: ((engine: Engine) => boolean) | undefined,
   * }} job `accepts`: of the engines that there are; all of them by default
   */
  constructor(job) {
    this.job = job
  }

  /** How long a run may take before it counts as hung. */
  get runLimit_ms() {
    return Math.max(LEAST_RUN_LIMIT_MS, SLOWEST * this.#run_ms)
  }

  /**
   * Loads the best engine that has passed, or passes now.
   * @param {{ warm?: boolean }} [options] `warm`: has run once in this worker when this resolves
   * @returns {Promise<Engine>} rejects with `backend_unavailable` and every reason, or with what
   *   kept the files from arriving
   */
  ready({ warm = false } = {}) {
    this.#choosing ??= this.#choose(warm).finally(() => {
      this.#choosing = null
    })
    return this.#choosing
  }

  /** @param {boolean} warm */
  async #choose(warm) {
    const { model, backend, accepts = () => true } = this.job
    const device = await thisDevice()
    const { engines: all, missing } = enginesFor(model, backend, device, isSmallDevice())
    const engines = all.filter(accepts)
    for (;;) {
      const engine = engines.find((one) => !this.#isOut(one, engines))
      if (!engine) throw this.#unreachable ?? this.#nothingLeft(engines, missing)
      try {
        await this.#start(engine, warm)
        this.#tell(engine)
        return engine
      } catch (error) {
        this.#blame(engine, error, { starting: true })
      }
    }
  }

  /**
   * Takes note of what ended an attempt.
   * @param {unknown} error thrown again where another attempt cannot help
   */
  recover(error) {
    this.job.signal?.throwIfAborted()
    if (!(error instanceof GossamerError)) throw error
    if (error.stage === 'infer' && this.#engine) this.#blame(this.#engine, error)
    else if (error.code === 'worker_died') this.#restart(error)
    else throw error
  }

  /**
   * @param {Engine} engine
   * @param {Engine[]} engines
   */
  #isOut(engine, engines) {
    if (this.#setbacks.has(idOf(engine))) return true
    if (this.#missingFiles.has(engine.artefact.sha256)) return true
    // The last resort is tried whatever happened to it on other occasions.
    return Boolean(verdictOn(engine)?.reason) && engine !== engines.at(-1)
  }

  /**
   * @param {Engine} engine
   * @param {boolean} warm
   */
  async #start(engine, warm) {
    const { model, signal, onProgress } = this.job
    this.#engine = engine
    await loadNetwork(model, engine, { signal, onProgress, limit_ms: START_LIMIT_MS })
    const verdict = verdictOn(engine)
    this.#run_ms = verdict?.run_ms ?? 0
    if (verdict && !verdict.reason && !warm) return
    const proof = await inferenceWorker.call('prove', { model: model.name, engine }, 'infer', {
      signal,
      limit_ms: PROOF_LIMITS_MS[engine.backend],
    })
    requireRight(engine, proof)
    this.#run_ms = proof.run_ms
    remember(engine, { reason: '', run_ms: proof.run_ms }, { lasting: true })
  }

  /**
   * Rules the engine out for this job, and for others where that is its fault.
   * @param {Engine} engine
   * @param {unknown} error thrown again where it is nobody's fault, and another try is no use
   * @param {{ starting?: boolean }} [options]
   */
  #blame(engine, error, { starting = false } = {}) {
    this.job.signal?.throwIfAborted()
    if (!(error instanceof GossamerError)) throw error
    const { code, cause } = error
    if (code === 'worker_died' && cause === 'waiting') return this.#restart(error)
    const reason = reasonOf(error)
    this.#setbacks.set(idOf(engine), `${titleOf(engine)} ${reason}`)
    if (code === 'model_unavailable' || code === 'model_corrupt') {
      // No proof against the engine: the next photo may find the network back.
      this.#unreachable ??= error
      if (error.stage === 'model') this.#missingFiles.add(engine.artefact.sha256)
      return
    }
    if (verdictOn(engine)?.reason) return // another job was first, and has ended the worker
    const lasting = cause === 'hung' || (starting && code === 'backend_unavailable')
    remember(engine, { reason, run_ms: 0 }, { lasting })
    inferenceWorker.end('was started anew')
  }

  /** @param {GossamerError} error of a worker that did not die of this job's engine */
  #restart(error) {
    if (this.#restarts === MAX_RESTARTS) throw error
    this.#restarts++
    if (error.cause === 'stopped')
      this.job.onNotice('The browser stopped the work on this photo. It was started again.')
  }

  /** @param {Engine} engine */
  #tell(engine) {
    const news = [...this.#setbacks.values()].slice(this.#told)
    this.#told = this.#setbacks.size
    if (news.length > 0) this.job.onNotice(`${news.join('. ')}. ${titleOf(engine)} took over.`)
  }

  /**
   * @param {Engine[]} engines
   * @param {string[]} missing
   */
  #nothingLeft(engines, missing) {
    const reasons = engines.map((engine) => {
      const earlier = `${titleOf(engine)} ${verdictOn(engine)?.reason}`
      return this.#setbacks.get(idOf(engine)) ?? earlier
    })
    const { backend } = this.job
    const wanted = backend === 'auto' ? 'an engine' : [backend].flat().join(' or ')
    const remedy =
      backend === 'auto' ? 'Try another browser.' : "Ask for another backend, or for 'auto'."
    return new GossamerError(
      'backend_unavailable',
      'model',
      `Expected ${wanted} to run the network here: ${[...missing, ...reasons].join('; ')}. ${remedy}`,
    )
  }
}

/**
 * @param {Model} model
 * @returns {Promise<{ missing: string[], engines: EngineReport[] }>} best first
 */
export async function reportEngines(model) {
  const device = await thisDevice()
  const { engines, missing } = enginesFor(model, [...BACKENDS], device, isSmallDevice())
  return { missing, engines: engines.map(report) }
}

/** @returns {Promise<void>} */
export async function resetEngines() {
  forgetVerdicts()
  once.forget('device')
  inferenceWorker.end('was started anew')
}

/**
 * @param {Engine} engine
 * @returns {EngineReport}
 */
function report(engine) {
  const { backend, threads, artefact } = engine
  const verdict = verdictOn(engine)
  return {
    title: titleOf(engine),
    backend,
    precision: artefact.precision,
    threads,
    state: verdict ? (verdict.reason ? 'failed' : 'passed') : 'untried',
    reason: verdict?.reason ?? '',
    run_ms: verdict && !verdict.reason ? verdict.run_ms : null,
  }
}

/**
 * @param {Engine} engine
 * @param {Proof} proof
 */
function requireRight({ runtime, artefact }, { max, mean }) {
  const tolerance = TOLERANCES[runtime === 'winograd' ? 'fp32' : artefact.precision]
  if (max <= tolerance.max && mean <= tolerance.mean) return
  throw new GossamerError(
    'backend_unavailable',
    'infer',
    `computes wrong numbers on this device (off by ${max.toFixed(2)} of 1)`,
  )
}

/** @param {GossamerError} error */
function reasonOf({ code, cause, message }) {
  if (code === 'model_unavailable') return 'could not be fetched'
  if (code === 'model_corrupt') return 'arrived damaged'
  if (code === 'out_of_memory') return 'ran out of memory'
  if (cause === 'hung') return 'gave no answer in time'
  if (cause === 'lost') return 'lost the graphics device'
  if (code === 'worker_died') return 'was stopped by the browser'
  return message.replace(/\.$/, '')
}
