/**
 * A look from further away, for what the first one has lost of a subject as large as the photo: the
 * same network on the same photo in fewer pixels (`pyside_logic/wider_look.py`). Our own engine has
 * a plan for that; where a GPU runs the network, our own engine takes this look alone.
 */

import { GossamerError } from '../rpc/errors.js'
import { EngineChoice } from './backends.js'
import { isSmallDevice } from './engines.js'
import { Once } from './once.js'
import { inferenceWorker, unlessAborted } from './workers.js'

/** @typedef {import('../build.js').Model} Model */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('../rpc/messages.js').Matte} Matte */
/** @typedef {import('../rpc/client.js').CallOptions} CallOptions */
/** @typedef {import('./engines.js').Wanted} Wanted */

/** @typedef {{ model: Model, backend: Wanted, widerLook: boolean }} WiderJob */

/** @type {Once<Model, Engine | null>} beside a GPU; null where this device has none */
const beside = new Once()

/**
 * @param {Float32Array<ArrayBuffer>} input of the first look
 * @param {WiderJob} job
 * @param {Engine} engine of the first look
 * @param {Pick<CallOptions, 'signal' | 'limit_ms'>} limits
 * @returns {Promise<Matte | null>} null where there is none to be had: what was found before is no
 *   worse for it
 */
export async function lookWider(input, job, engine, limits) {
  try {
    const looking = await unlessAborted(prepareWider(job, engine), limits.signal)
    if (!looking) return null
    const request = { input, model: job.model.name, engine: looking }
    const { matte } = await inferenceWorker.call('inferWider', request, 'infer', limits)
    return matte
  } catch {
    limits.signal?.throwIfAborted()
    beside.forget(job.model) // a worker that was started anew may lack its network
    return null
  }
}

/**
 * Starts what a wider look needs, where the engine of the first one cannot take it.
 * @param {WiderJob} job
 * @param {Engine} engine
 * @returns {Promise<Engine | null>} null where there is none for it
 */
export async function prepareWider({ model, backend, widerLook }, engine) {
  if (!widerLook) return null
  if (canLookWider(engine)) return engine
  const isAllowed = [backend].flat().some((name) => name === 'auto' || name === 'wasm')
  const isPlanned = model.artefacts.some(({ plan }) => plan?.wider)
  if (!isAllowed || !isPlanned || engine.backend === 'wasm' || isSmallDevice()) return null
  return beside.get(model, () => start(model))
}

/**
 * @param {Model} model
 * @returns {Promise<Engine | null>} null where our own engine does not run here
 */
async function start(model) {
  const job = { model, backend: /** @type {const} */ ('wasm'), onNotice: () => {} }
  try {
    return await new EngineChoice({ ...job, accepts: canLookWider }).ready()
  } catch (error) {
    if (error instanceof GossamerError && error.code === 'backend_unavailable') return null
    throw error
  }
}

/** @param {Engine} engine */
function canLookWider({ runtime, artefact }) {
  return runtime === 'winograd' && Boolean(artefact.plan?.wider)
}
