/** What improves a matte that was found: another look at a part of the photo, another network. */

import { EngineChoice } from './backends.js'
import { findMatte, onSomeEngine } from './find-matte.js'
import { StageClock } from './stage-clock.js'
import { pythonWorker } from './workers.js'

/** @typedef {import('../rpc/messages.js').PhotoFile} PhotoFile */
/** @typedef {import('./open-photo.js').Found} Found */
/** @typedef {import('./pipeline.js').OpenJob} OpenJob */

/** @typedef {{ handle: number, file: PhotoFile }} Kept a photo that Python keeps */

/**
 * Runs the network on the subject's box, where it does not fill the photo, for finer edges.
 * @param {Kept} kept
 * @param {OpenJob} job
 * @param {EngineChoice} choice
 * @param {StageClock} clock
 */
export async function lookAgain({ handle, file }, job, choice, clock) {
  const { signal } = job
  const part = await pythonWorker.call('subjectPart', { handle }, 'refine', { signal })
  if (!part) return
  const { matte } = await findMatte({ ...part, file }, { ...job, widerLook: false }, choice, clock)
  await pythonWorker.call('addSecondLook', { handle, matte }, 'refine', { signal })
}

/** @type {Set<import('../build.js').Model>} that have run on this page */
const specialists = new Set()

/**
 * Fetches a network that knows some subjects better, where it is not on this device yet, and runs it
 * once.
 * @param {import('../build.js').Model} model
 * @param {AbortSignal | undefined} signal
 */
export async function prepareSpecialist(model, signal) {
  if (specialists.has(model)) return
  const choice = new EngineChoice({ model, backend: 'auto', signal, onNotice: () => {} })
  await choice.ready({ warm: true })
  specialists.add(model)
}

/**
 * Shows an open photo to the networks that know some subjects better and have run on this page: nobody
 * waits for a second opinion to be downloaded, or started.
 * @param {Kept} kept
 * @param {OpenJob} job
 * @param {() => Promise<void>} [onAsk] awaited before that, where there is one to ask
 * @returns {Promise<Found | null>} null where all stays as it was
 */
export async function findBetter(kept, job, onAsk) {
  const ready = job.specialists.filter((model) => specialists.has(model))
  if (ready.length > 0) await onAsk?.()
  let better = null
  for (const model of ready) {
    const asked = { ...job, model, widerLook: false }
    const choice = new EngineChoice(asked)
    try {
      const ask = () => askSpecialist(kept, asked, choice, new StageClock(job))
      better = (await onSomeEngine(choice, ask)) ?? better
    } catch {
      job.signal?.throwIfAborted() // what was found before is no worse for it
    }
  }
  return better
}

/**
 * @param {Kept} kept
 * @param {OpenJob} job
 * @param {EngineChoice} choice
 * @param {StageClock} clock
 * @returns {Promise<Found | null>}
 */
async function askSpecialist({ handle, file }, job, choice, clock) {
  const { model, signal } = job
  const photo = await pythonWorker.call('photoPixels', { handle }, 'refine', { signal })
  const { matte, engine } = await findMatte({ ...photo, file }, job, choice, clock)
  const offer = { handle, matte, agreement: model.agreement ?? 1 }
  const { agreed } = await pythonWorker.call('offerMatte', offer, 'refine', { signal })
  return agreed && { matte: agreed, model: model.name, engine }
}
