/**
 * A first look at a photo: the matte of the network at half its size, for a quarter of the work,
 * before all of it runs. Nobody waits for a draft that is not ready.
 */

import { EngineChoice } from './backends.js'
import { isSmallDevice } from './engines.js'
import { openKept } from './keep-photo.js'
import { inferenceWorker } from './workers.js'

/** @typedef {import('../build.js').Model} Model */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('../rpc/messages.js').Matte} Matte */
/** @typedef {import('../rpc/client.js').CallOptions} CallOptions */
/** @typedef {import('./find-matte.js').Prepared} Prepared */
/** @typedef {import('./find-matte.js').Subject} Subject */
/** @typedef {import('./open-photo.js').OpenPhoto} OpenPhoto */
/** @typedef {import('./pipeline.js').OpenJob} OpenJob */
/** @typedef {import('./stage-clock.js').StageClock} StageClock */

/**
 * How much of a subject may be undecided, for its draft to be shown. Of labelled photos with less,
 * nine in ten overlap with the whole network's matte by 92 %; with more, one in three does by 90 %.
 */
const MOST_SOFT = 0.3

/** @type {Map<Model, Engine>} what each draft has run on */
const engines = new Map()

/**
 * Fetches the draft of a network, where it has one, and runs it once.
 * @param {Model} model
 * @param {AbortSignal | undefined} signal
 */
export async function prepareDraft({ draft }, signal) {
  if (!draft || engines.has(draft) || isSmallDevice()) return
  const choice = new EngineChoice({ model: draft, backend: 'wasm', signal, onNotice: () => {} })
  engines.set(draft, await choice.ready({ warm: true }))
}

/** The draft of one job's photo: seen while the whole network runs. */
export class Draft {
  #job
  #choice
  #clock
  #isPythonReady = false
  /** @type {OpenPhoto | null} */
  #open = null

  /**
   * @param {OpenJob} job
   * @param {EngineChoice} choice
   * @param {Promise<unknown>} python resolves when it has started
   * @param {StageClock} clock
   */
  constructor(job, choice, python, clock) {
    this.#job = job
    this.#choice = choice
    this.#clock = clock
    const isReady = () => {
      this.#isPythonReady = true
    }
    python.then(isReady, () => {})
  }

  /**
   * Shows one, if somebody wants to see it and it can be had at once.
   * @param {Prepared} prepared
   * @param {Promise<number>} keeping names the photo in Python
   */
  async show({ input, photo, engine }, keeping) {
    const { onDraft, model, signal } = this.#job
    if (!onDraft || !this.#isPythonReady) return
    const limit_ms = this.#choice.runLimit_ms
    const matte = await draftMatte(input, model, engine, { signal, limit_ms })
    if (!matte) return
    this.#open = await openKept(
      await keeping,
      { photo, matte, wider: null, engine },
      this.#job,
      this.#clock,
    )
    await onDraft(this.#open)
  }

  /**
   * @param {Subject} found by the whole network
   * @returns {Promise<OpenPhoto | null>} the photo that was shown, with that matte; null where none
   *   was
   */
  async finish(found) {
    await this.#open?.replaceMatte(found, this.#job.signal)
    return this.#open
  }

  /** What was shown is not to be had after all. */
  forget() {
    this.#open = null
  }
}

/**
 * @param {Float32Array<ArrayBuffer>} input of the whole network
 * @param {Model} model
 * @param {Engine} engine that the whole network will run on: a GPU is as quick as a draft
 * @param {Pick<CallOptions, 'signal' | 'limit_ms'>} options
 * @returns {Promise<Matte | null>} null where there is no draft, or one that is not fit to be seen
 */
async function draftMatte(input, { draft }, engine, options) {
  const drafting = draft && engines.get(draft)
  if (!drafting || engine.backend !== 'wasm' || engine.runtime === 'winograd') return null
  const request = { input, model: draft.name, engine: drafting }
  try {
    const { matte } = await inferenceWorker.call('inferDraft', request, 'infer', options)
    return softness(matte) < MOST_SOFT ? matte : null
  } catch {
    options.signal?.throwIfAborted()
    engines.delete(draft) // photos do without
    return null
  }
}

/**
 * @param {Matte} matte
 * @returns {number} how much is undecided, of what is decided to be the subject
 */
function softness({ data }) {
  let undecided = 0
  let subject = 0
  for (const value of data) {
    undecided += 4 * value * (1 - value)
    if (value > 0.5) subject++
  }
  return undecided / Math.max(subject, 1)
}
