/** Moves a photo to Python, where it stays; the matte follows when it has been found. */

import { arrived } from '../imports.js'
import { confidenceIn } from './confidence.js'
import { dropKept, OpenPhoto } from './open-photo.js'
import { isPythonStarting, pythonWorker, startedEarly, unlessAborted } from './workers.js'

/** @typedef {import('../rpc/messages.js').DecodedPhoto} DecodedPhoto */
/** @typedef {import('./find-matte.js').FoundMatte} FoundMatte */
/** @typedef {import('./pipeline.js').OpenJob} OpenJob */
/** @typedef {import('./stage-clock.js').StageClock} StageClock */

/**
 * While the network runs, Python looks at the photo's colours.
 * @param {DecodedPhoto} photo its pixels move
 * @param {FoundMatte | Promise<FoundMatte>} finding
 * @param {OpenJob} job
 * @param {StageClock} clock
 * @returns {Promise<OpenPhoto>} for the caller to close
 */
export async function keepPhoto(photo, finding, job, clock) {
  const keeping = startedEarly(keepPixels(photo))
  try {
    const found = await finding
    if (isPythonStarting()) {
      // On a slow line it comes minutes after the network, and no edges are refined meanwhile.
      const bytes = found.engine?.artefact.bytes ?? 1
      job.onProgress({ stage: 'model', done: bytes, total: bytes })
      await keeping
    }
    return await clock.begin('refine', async () => openKept(await keeping, photo, found, job))
  } catch (error) {
    keeping.then(dropKept, () => {})
    throw error
  }
}

/**
 * There is no signal to end it: what Python keeps must be named to somebody who lets it go.
 * @param {DecodedPhoto} photo its pixels move
 * @returns {Promise<number>} what names it in Python, for `openKept` or `dropKept`
 */
async function keepPixels(photo) {
  const transfer = [photo.rgba]
  const { handle } = await pythonWorker.call('openPhoto', { photo }, 'refine', { transfer })
  return handle
}

/**
 * @param {number} handle of the photo's pixels
 * @param {DecodedPhoto} photo
 * @param {FoundMatte} found
 * @param {OpenJob} job
 */
async function openKept(handle, photo, found, job) {
  const { signal } = job
  const { peak, wider, engine } = found
  let { matte } = found
  await pythonWorker.call('setMatte', { handle, matte }, 'refine', { signal })
  if (wider) {
    const look = { handle, matte: wider }
    const { fused } = await pythonWorker.call('addWiderLook', look, 'refine', { signal })
    matte = fused ?? matte
  }
  const { height, width, file } = photo
  const kept = { handle, file }
  /** @type {import('./open-photo.js').Ask} */
  const askSpecialists = async (onAsk) =>
    (await arrived(import('./second-opinion.js'))).findBetter(kept, job, onAsk)
  const now = { matte, model: job.model.name, engine }
  const confidence = engine && confidenceIn(matte, peak)
  return new OpenPhoto({ ...kept, ...now, confidence, height, width, askSpecialists })
}

/**
 * A photo whose matte its backdrop tells; as with `keepPixels`, the call goes on when it is cancelled.
 * @param {DecodedPhoto} photo its pixels move
 * @param {string} key
 * @param {AbortSignal | undefined} signal
 */
export async function keepKeyed(photo, key, signal) {
  const transfer = [photo.rgba]
  const keeping = pythonWorker.call('openKeyedPhoto', { photo, key }, 'infer', { transfer })
  try {
    return await unlessAborted(keeping, signal)
  } catch (error) {
    keeping.then(({ handle }) => dropKept(handle)).catch(() => {}) // there is none
    throw error
  }
}
