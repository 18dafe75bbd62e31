/** A picture's way, from file to file. Reads from top to bottom. */

import { EngineChoice } from './backends.js'
import { OpenPhoto } from './open-photo.js'
import { StageClock } from './stage-clock.js'
import { countRun, inferenceWorker, pythonWorker, startedEarly } from './workers.js'

/** @typedef {import('../assets.js').Model} Model */
/** @typedef {import('../rpc/messages.js').EncodedContent} EncodedContent */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('../rpc/messages.js').Matte} Matte */
/** @typedef {import('../rpc/messages.js').OutputOptions} OutputOptions */
/** @typedef {import('../rpc/messages.js').DecodedPhoto} DecodedPhoto */
/** @typedef {import('../rpc/messages.js').Progress} Progress */
/** @typedef {import('../rpc/messages.js').RefineOptions} RefineOptions */
/** @typedef {import('./stage-clock.js').Timings} Timings */

/**
 * @typedef {{
 *   source: Blob | ImageBitmap | ImageData,
 *   name: string,
 *   model: Model,
 *   backend: import('./engines.js').Wanted,
 *   matte?: Matte | undefined,
 *   signal: AbortSignal | undefined,
 *   onProgress: (progress: Progress) => void,
 *   onNotice: (notice: string) => void,
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
 *   engine: Engine | null,
 *   matte: Matte,
 *   timings: Timings,
 * }} Outcome
 */

/**
 * @typedef {{ photo: DecodedPhoto, matte: Matte, engine: Engine | null }} Subject
 *
 * - `engine`: what found the matte; null when it was given.
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
    const precise = output.depth === 16
    await clock.time('refine', () =>
      photo.refine(refine, { precise, signal, onProgress, onPreview }),
    )
    const picture = await clock.time('encode', () => photo.encode(output, { content, signal }))
    const { engine, matte } = photo
    return { ...picture, engine, matte, timings: clock.timings() }
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
  const { model, signal } = job
  // Starts while the network runs.
  const python = startedEarly(pythonWorker.call('start', null, 'refine', { signal }))
  const subject = await findSubject(job, clock)

  await python
  const { photo, matte, engine } = subject
  const { height, width, file } = photo
  const { handle } = await clock.time('refine', () =>
    pythonWorker.call('openPhoto', { photo, matte }, 'refine', { signal, transfer: [photo.rgba] }),
  )
  return new OpenPhoto({ handle, height, width, file, matte, model: model.name, engine })
}

/**
 * On the first engine that gets through with it.
 * @param {OpenJob} job
 * @param {StageClock} clock
 * @returns {Promise<Subject>}
 */
async function findSubject(job, clock) {
  const choice = new EngineChoice(job)
  for (;;) {
    try {
      return await attempt(job, choice, clock)
    } catch (error) {
      choice.recover(error)
    }
  }
}

/**
 * @param {OpenJob} job
 * @param {EngineChoice} choice
 * @param {StageClock} clock
 * @returns {Promise<Subject>}
 */
async function attempt({ source, name, model, matte: known, signal }, choice, clock) {
  const decoding = clock.time('decode', () =>
    inferenceWorker.call('decode', { source, name }, 'decode', { signal }),
  )
  // A bad photo does not wait for the network to fail.
  const choosing = known ? null : startedEarly(choice.ready())
  const decoded = await decoding
  const engine = await choosing
  if (known || !engine) {
    return { photo: decoded, matte: /** @type {Matte} */ (known), engine: null }
  }

  const { input, photo } = await clock.time('preprocess', () =>
    inferenceWorker.call('preprocess', { photo: decoded, model: model.name }, 'preprocess', {
      signal,
      transfer: [decoded.rgba],
    }),
  )

  const { matte, heap_bytes } = await clock.time('infer', () =>
    inferenceWorker.call('infer', { input, model: model.name, engine }, 'infer', {
      signal,
      transfer: [input.buffer],
      limit_ms: choice.runLimit_ms,
    }),
  )
  countRun(heap_bytes)
  return { photo, matte, engine }
}
