/** A picture's way, from file to file. Reads from top to bottom. */

import { OpenPhoto } from './open-photo.js'
import { StageClock } from './stage-clock.js'
import { inferenceWorker, loadNetwork, pythonWorker, startedEarly } from './workers.js'

/** @typedef {import('../assets.js').Model} Model */
/** @typedef {import('../rpc/messages.js').EncodedContent} EncodedContent */
/** @typedef {import('../rpc/messages.js').Matte} Matte */
/** @typedef {import('../rpc/messages.js').OutputOptions} OutputOptions */
/** @typedef {import('../rpc/messages.js').Progress} Progress */
/** @typedef {import('../rpc/messages.js').RefineOptions} RefineOptions */
/** @typedef {import('./stage-clock.js').Timings} Timings */

/**
 * @typedef {{
 *   source: Blob | ImageBitmap | ImageData,
 *   name: string,
 *   model: Model,
 *   matte?: Matte | undefined,
 *   signal: AbortSignal | undefined,
 *   onProgress: (progress: Progress) => void,
 * }} OpenJob
 *
 * - `matte`: one that was found before, of the same photo: no network runs.
 */

/**
 * @typedef {OpenJob & {
 *   refine: RefineOptions,
 *   output: OutputOptions,
 *   content: EncodedContent,
 *   onPreview: ((preview: ImageBitmap) => void) | undefined,
 * }} Job
 */

/**
 * @typedef {{
 *   blob: Blob,
 *   height: number,
 *   width: number,
 *   backend: 'wasm' | null,
 *   matte: Matte,
 *   timings: Timings,
 * }} Outcome
 */

/**
 * @param {Job} job
 * @returns {Promise<Outcome>}
 */
export async function runPipeline(job) {
  const { refine, output, content, signal, onProgress, onPreview } = job
  const clock = new StageClock(job)
  const photo = await openPhoto(job, clock)
  try {
    await clock.time('refine', () => photo.refine(refine, { signal, onProgress, onPreview }))
    const picture = await clock.time('encode', () => photo.encode(output, { content, signal }))
    const { backend, matte } = photo
    return { ...picture, backend, matte, timings: clock.timings() }
  } finally {
    photo.close()
  }
}

/**
 * The stages up to the matte.
 * @param {OpenJob} job
 * @param {StageClock} [clock]
 * @returns {Promise<OpenPhoto>} for the caller to close
 */
export async function openPhoto(job, clock = new StageClock(job)) {
  const { source, name, model, signal } = job

  const decoding = clock.time('decode', () =>
    inferenceWorker.call('decode', { source, name }, 'decode', { signal }),
  )
  // What a photo does not depend on starts meanwhile; a bad photo does not wait for it to fail.
  const loading = job.matte ? null : startedEarly(loadNetwork(model, job))
  const python = startedEarly(pythonWorker.call('start', null, 'refine', { signal }))

  const decoded = await decoding
  const { density } = decoded
  const backend = loading && (await loading).backend
  const { photo, matte } = job.matte
    ? { photo: decoded, matte: job.matte }
    : await findMatte(decoded, job, clock)

  await python
  const { height, width } = photo
  const { handle } = await clock.time('refine', () =>
    pythonWorker.call('openPhoto', { photo, matte }, 'refine', { signal, transfer: [photo.rgba] }),
  )
  return new OpenPhoto({ handle, height, width, matte, density, model: model.name, backend })
}

/**
 * @param {import('../rpc/messages.js').DecodedPhoto} decoded its pixels move to the answer
 * @param {OpenJob} job
 * @param {StageClock} clock
 */
async function findMatte(decoded, { model, signal }, clock) {
  const { input, photo } = await clock.time('preprocess', () =>
    inferenceWorker.call('preprocess', { photo: decoded, model: model.name }, 'preprocess', {
      signal,
      transfer: [decoded.rgba],
    }),
  )
  const matte = await clock.time('infer', () =>
    inferenceWorker.call('infer', { input, model: model.name }, 'infer', {
      signal,
      transfer: [input.buffer],
    }),
  )
  return { photo, matte }
}
