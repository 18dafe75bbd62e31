/** Stages 2 and 3: the network on the engine of a job, and on the next one where that fails. */

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
 *   photo: DecodedPhoto,
 *   matte: Matte,
 *   wider: Matte | null,
 *   engine: Engine | null,
 * }} Subject
 *
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
 * @param {EngineChoice} choice
 * @param {StageClock} clock
 * @param {(photo: DecodedPhoto) => void} [onSeen] gets the photo when the network has what it needs
 *   of it
 * @returns {Promise<Subject>}
 */
export async function findMatte(decoded, job, choice, clock, onSeen) {
  const { model, signal } = job
  const engine = await choice.ready()
  const { input, photo } = await clock.time('preprocess', () =>
    inferenceWorker.call('preprocess', { photo: decoded, model: model.name }, 'preprocess', {
      signal,
      transfer: [decoded.rgba],
    }),
  )
  onSeen?.(photo)
  const limits = { signal, limit_ms: choice.runLimit_ms }
  const looks = await clock.time('infer', async () => {
    const request = { input, model: model.name, engine }
    const { matte, heap_bytes } = await inferenceWorker.call('infer', request, 'infer', limits)
    const wider = await lookWider(input, job, engine, limits)
    countRun(heap_bytes) // may end the worker
    return { matte, wider }
  })
  return { photo, ...looks, engine }
}
