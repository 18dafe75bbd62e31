/** Stages `preprocess` and `infer`: the network on the engine of a job, and on the next one where that fails. */

import { lookWider } from './wider-look.js'
import { countRun, inferenceWorker } from './workers.js'

/** @typedef {import('../rpc/messages.js').DecodedPhoto} DecodedPhoto */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('../rpc/messages.js').Matte} Matte */
/** @typedef {import('./backends.js').EngineChoice} EngineChoice */
/** @typedef {import('./pipeline.js').OpenJob} OpenJob */
/** @typedef {import('./stage-clock.js').StageClock} StageClock */

/**
 * @typedef {{
 *   matte: Matte,
 *   peak: number,
 *   wider: Matte | null,
 *   engine: Engine | null,
 * }} FoundMatte
 *
 * - `peak`: as of `peakOf`, 1 where no network has found it.
 * - `wider`: the same network's of the same photo in fewer pixels, for what `matte` lacks.
 * - `engine`: what found the matte; null when no network did.
 */

/**
 * On the first engine that gets through with it.
 * @template T
 * @param {EngineChoice} choice
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
export async function onSomeEngine(choice, run) {
  for (;;) {
    try {
      return await run()
    } catch (error) {
      choice.recover(error)
    }
  }
}

/**
 * @param {DecodedPhoto} decoded its pixels move to the answer
 * @param {OpenJob} job
 * @param {StageClock} clock
 * @returns {Promise<{ input: Float32Array<ArrayBuffer>, photo: DecodedPhoto }>}
 */
export function preprocess(decoded, { model, signal }, clock) {
  const request = { photo: decoded, model: model.name }
  const call = { signal, transfer: [decoded.rgba] }
  return clock.time('preprocess', () =>
    inferenceWorker.call('preprocess', request, 'preprocess', call),
  )
}

/**
 * @param {Float32Array<ArrayBuffer>} input of `preprocess`
 * @param {Engine} engine of `choice`
 * @param {OpenJob} job
 * @param {EngineChoice} choice
 * @param {StageClock} clock
 * @returns {Promise<FoundMatte>}
 */
export function infer(input, engine, job, choice, clock) {
  const { model, signal } = job
  const limits = { signal, limit_ms: choice.runLimit_ms }
  return clock.time('infer', async () => {
    const request = { input, model: model.name, engine }
    const answer = await inferenceWorker.call('infer', request, 'infer', limits)
    const { heap_bytes, ...found } = answer
    const wider = await lookWider(input, job, engine, limits)
    countRun(heap_bytes) // may end the worker
    return { ...found, wider, engine }
  })
}

/**
 * Both, of pixels that nobody wants back.
 * @param {DecodedPhoto} decoded
 * @param {OpenJob} job
 * @param {EngineChoice} choice
 * @param {StageClock} clock
 */
export async function findMatte(decoded, job, choice, clock) {
  const engine = await choice.ready()
  const { input } = await preprocess(decoded, job, clock)
  return infer(input, engine, job, choice, clock)
}
