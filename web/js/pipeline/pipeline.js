/** A picture's way, from file to file. Reads from top to bottom. */

import { arrived } from '../imports.js'
import { EngineChoice } from './backends.js'
import { infer, onSomeEngine, preprocess } from './find-matte.js'
import { keepKeyed, keepPhoto } from './keep-photo.js'
import { OpenPhoto } from './open-photo.js'
import { StageClock } from './stage-clock.js'
import { inTurn } from './turns.js'
import { inferenceWorker, startedEarly, startPython } from './workers.js'

/** @typedef {import('../assets.js').Model} Model */
/** @typedef {import('../rpc/messages.js').DecodedPhoto} DecodedPhoto */
/** @typedef {import('../rpc/messages.js').EncodedContent} EncodedContent */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
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
 *   specialists: Model[],
 *   backend: import('./engines.js').Wanted,
 *   matte?: Matte | undefined,
 *   chromaKey?: string | undefined,
 *   widerLook: boolean,
 *   secondLook: boolean,
 *   signal: AbortSignal | undefined,
 *   onProgress: (progress: Progress) => void,
 *   onNotice: (notice: string) => void,
 * }} OpenJob
 *
 * - `specialists`: networks that `askSpecialists` may ask.
 * - `matte`: one that was found before, of the same photo: no network runs.
 * - `chromaKey`, `widerLook`, `secondLook`: as in the public API.
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
 *   confidence: number | null,
 *   timings: Timings,
 * }} Outcome
 */

/**
 * @param {Job} job
 * @returns {Promise<Outcome>}
 */
export async function runPipeline(job) {
  const clock = new StageClock(job)
  return inTurn(() => cutOut(job, clock), job.signal)
}

/**
 * @param {Job} job
 * @param {StageClock} clock
 * @returns {Promise<Outcome>}
 */
async function cutOut(job, clock) {
  const { refine, output, content, signal, onPreview } = job
  const onProgress = (/** @type {Progress} */ progress) => clock.report(progress)
  const photo = await open(job, clock)
  try {
    const precise = output.depth === 16
    await clock.time('refine', () =>
      photo.refine(refine, { precise, signal, onProgress, onPreview }),
    )
    const picture = await clock.time('encode', () => photo.encode(output, { content, signal }))
    const { engine, matte, confidence } = photo
    return { ...picture, engine, matte, confidence, timings: clock.timings() }
  } finally {
    photo.close()
  }
}

/**
 * The stages up to the matte.
 * @param {OpenJob} job
 * @returns {Promise<OpenPhoto>} for the caller to close, who may keep it: its turn ends here
 */
export async function openPhoto(job) {
  const clock = new StageClock(job)
  const photo = await inTurn(() => open(job, clock), job.signal)
  clock.report({ stage: 'refine', done: 1, total: 1 })
  return photo
}

let opening = 0

/** Whether a photo is on its way to its matte. */
export function isOpening() {
  return opening > 0
}

/**
 * @param {OpenJob} job
 * @param {StageClock} clock
 */
async function open(job, clock) {
  opening++
  try {
    return await findAndOpen(job, clock)
  } finally {
    opening--
  }
}

/**
 * @param {OpenJob} job
 * @param {StageClock} clock
 * @returns {Promise<OpenPhoto>}
 */
async function findAndOpen(job, clock) {
  // Starts while the network runs.
  const python = startPython(job.signal)
  if (job.chromaKey !== undefined) return openKeyedPhoto(job, job.chromaKey, python, clock)
  const choice = new EngineChoice(job)
  const photo = await onSomeEngine(choice, () => findAndKeep(job, choice, clock))
  return withSecondLook(photo, job, choice, clock)
}

/**
 * @param {OpenJob} job
 * @param {EngineChoice} choice
 * @param {StageClock} clock
 */
async function findAndKeep(job, choice, clock) {
  const { matte } = job
  const decoding = decode(job, clock)
  if (matte) {
    const given = { matte, peak: 1, wider: null, engine: null }
    return keepPhoto(await decoding, given, job, clock)
  }
  const choosing = startedEarly(choice.ready())
  const decoded = await decoding // a bad photo does not wait for the network to fail
  const engine = await choosing
  const { input, photo } = await preprocess(decoded, job, clock)
  return keepPhoto(photo, infer(input, engine, job, choice, clock), job, clock)
}

/**
 * @param {OpenPhoto} photo closed where it fails
 * @param {OpenJob} job
 * @param {EngineChoice} choice
 * @param {StageClock} clock
 */
async function withSecondLook(photo, job, choice, clock) {
  if (!job.secondLook || !photo.engine) return photo
  try {
    const { lookAgain } = await arrived(import('./second-opinion.js'))
    await onSomeEngine(choice, () => lookAgain(photo, job, choice, clock))
    return photo
  } catch (error) {
    photo.close()
    throw error
  }
}

/**
 * @param {OpenJob} job
 * @param {StageClock} clock
 * @returns {Promise<DecodedPhoto>}
 */
function decode({ source, name, signal }, clock) {
  return clock.time('decode', () =>
    inferenceWorker.call('decode', { source, name }, 'decode', { signal }),
  )
}

/**
 * A photo before a plain backdrop, which tells the matte: no network is loaded and none runs.
 * @param {OpenJob} job
 * @param {string} key
 * @param {Promise<unknown>} python
 * @param {StageClock} clock
 */
async function openKeyedPhoto(job, key, python, clock) {
  const photo = await decode(job, clock)
  await python
  const { height, width, file } = photo
  const { handle, matte } = await clock.time('infer', () => keepKeyed(photo, key, job.signal))
  return new OpenPhoto({ handle, height, width, file, matte, model: 'chroma-key', engine: null })
}
