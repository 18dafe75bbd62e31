/** Moves a photo and its matte to Python, where they stay. */

import { OpenPhoto } from './open-photo.js'
import { pythonWorker } from './workers.js'

/** @typedef {import('./find-matte.js').Subject} Subject */
/** @typedef {import('./pipeline.js').OpenJob} OpenJob */
/** @typedef {import('./stage-clock.js').StageClock} StageClock */

/**
 * @param {Subject} subject the pixels of its photo move
 * @param {OpenJob} job
 * @param {StageClock} clock for who asks specialists; it does not run here
 * @returns {Promise<OpenPhoto>} for the caller to close
 */
export async function keepPhoto({ photo, matte, engine }, job, clock) {
  const { height, width, file } = photo
  const { handle } = await pythonWorker.call('openPhoto', { photo, matte }, 'refine', {
    signal: job.signal,
    transfer: [photo.rgba],
  })
  const kept = { handle, file }
  const askSpecialists = async () =>
    (await import('./second-opinion.js')).findBetter(kept, job, clock)
  const found = { matte, model: job.model.name, engine }
  return new OpenPhoto({ ...kept, ...found, height, width, askSpecialists })
}
