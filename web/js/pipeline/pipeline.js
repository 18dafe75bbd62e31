/** A picture's way, from file to file. Reads from top to bottom. */

import { isStored } from '../device-storage.js'
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
/** @typedef {import('../rpc/messages.js').PhotoFile} PhotoFile */
/** @typedef {import('../rpc/messages.js').Progress} Progress */
/** @typedef {import('./open-photo.js').Found} Found */
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
 *   secondLook: boolean,
 *   signal: AbortSignal | undefined,
 *   onProgress: (progress: Progress) => void,
 *   onNotice: (notice: string) => void,
 * }} OpenJob
 *
 * - `specialists`: networks that `askSpecialists` may ask.
 * - `matte`: one that was found before, of the same photo: no network runs.
 * - `chromaKey`, `secondLook`: as in the public API.
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
 * - `engine`: what found the matte; null when no network did.
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

let opening = 0

/** Whether a photo is on its way to its matte. */
export function isOpening() {
  return opening > 0
}

/**
 * The stages up to the matte.
 * @param {OpenJob} job
 * @param {StageClock} [clock]
 * @returns {Promise<OpenPhoto>} for the caller to close
 */
export async function openPhoto(job, clock = new StageClock(job)) {
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
  const { model, signal } = job
  // Starts while the network runs.
  const python = startedEarly(pythonWorker.call('start', null, 'refine', { signal }))
  if (job.chromaKey !== undefined) return openKeyedPhoto(job, job.chromaKey, python, clock)
  const choice = new EngineChoice(job)
  const { photo, matte, engine } = await onSomeEngine(choice, () => findSubject(job, choice, clock))

  await python
  const { height, width, file } = photo
  const { handle } = await clock.time('refine', () =>
    pythonWorker.call('openPhoto', { photo, matte }, 'refine', { signal, transfer: [photo.rgba] }),
  )
  const askSpecialists = () => findBetter(handle, file, job, clock)
  const found = { matte, model: model.name, engine, askSpecialists }
  const open = new OpenPhoto({ handle, height, width, file, ...found })
  if (!job.secondLook || !engine) return open
  try {
    await onSomeEngine(choice, () => lookAgain(open, handle, job, choice, clock))
    return open
  } catch (error) {
    open.close()
    throw error
  }
}

/**
 * On the first engine that gets through with it.
 * @template T
 * @param {EngineChoice} choice
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
async function onSomeEngine(choice, run) {
  for (;;) {
    try {
      return await run()
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
async function findSubject(job, choice, clock) {
  const { source, name, matte: known, signal } = job
  const decoding = clock.time('decode', () =>
    inferenceWorker.call('decode', { source, name }, 'decode', { signal }),
  )
  // A bad photo does not wait for the network to fail.
  const choosing = known ? null : startedEarly(choice.ready())
  const decoded = await decoding
  if (known) return { photo: decoded, matte: known, engine: null }
  await choosing
  return findMatte(decoded, job, choice, clock)
}

/**
 * @param {DecodedPhoto} decoded its pixels move to the answer
 * @param {OpenJob} job
 * @param {EngineChoice} choice
 * @param {StageClock} clock
 * @returns {Promise<Subject>}
 */
async function findMatte(decoded, { model, signal }, choice, clock) {
  const engine = await choice.ready()
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

/**
 * Runs the network on the subject's box, where it does not fill the photo, for finer edges.
 * @param {OpenPhoto} open
 * @param {number} handle
 * @param {OpenJob} job
 * @param {EngineChoice} choice
 * @param {StageClock} clock
 */
async function lookAgain({ file }, handle, job, choice, clock) {
  const { signal } = job
  const part = await pythonWorker.call('subjectPart', { handle }, 'refine', { signal })
  if (!part) return
  const { matte } = await findMatte({ ...part, file }, job, choice, clock)
  await pythonWorker.call('addSecondLook', { handle, matte }, 'refine', { signal })
}

/**
 * Shows an open photo to the networks that know some subjects better and are on this device: nobody
 * waits for a second opinion to be downloaded.
 * @param {number} handle
 * @param {PhotoFile} file
 * @param {OpenJob} job
 * @param {StageClock} clock
 * @returns {Promise<Found | null>} null where all stays as it was
 */
async function findBetter(handle, file, job, clock) {
  let better = null
  for (const model of job.specialists) {
    if (!(await isStored(model))) continue
    const asked = { ...job, model }
    const choice = new EngineChoice(asked)
    try {
      const ask = () => askSpecialist(handle, file, asked, choice, clock)
      better = (await onSomeEngine(choice, ask)) ?? better
    } catch {
      job.signal?.throwIfAborted() // what was found before is no worse for it
    }
  }
  return better
}

/**
 * @param {number} handle
 * @param {PhotoFile} file
 * @param {OpenJob} job
 * @param {EngineChoice} choice
 * @param {StageClock} clock
 * @returns {Promise<Found | null>}
 */
async function askSpecialist(handle, file, job, choice, clock) {
  const { model, signal } = job
  const photo = await pythonWorker.call('photoPixels', { handle }, 'refine', { signal })
  const { matte, engine } = await findMatte({ ...photo, file }, job, choice, clock)
  const offer = { handle, matte, agreement: model.agreement ?? 1 }
  const { agreed } = await pythonWorker.call('offerMatte', offer, 'refine', { signal })
  return agreed && { matte: agreed, model: model.name, engine }
}

/**
 * A photo before a plain backdrop, which tells the matte: no network is loaded and none runs.
 * @param {OpenJob} job
 * @param {string} key
 * @param {Promise<unknown>} python
 * @param {StageClock} clock
 */
async function openKeyedPhoto({ source, name, signal }, key, python, clock) {
  const photo = await clock.time('decode', () =>
    inferenceWorker.call('decode', { source, name }, 'decode', { signal }),
  )
  await python
  const { height, width, file } = photo
  const { handle, matte } = await clock.time('infer', () =>
    pythonWorker.call('openKeyedPhoto', { photo, key }, 'infer', {
      signal,
      transfer: [photo.rgba],
    }),
  )
  return new OpenPhoto({ handle, height, width, file, matte, model: 'chroma-key', engine: null })
}
