/** A picture's way, from file to file. Reads from top to bottom. */

import { inferenceWorker, loadNetwork, pythonWorker, startedEarly } from './workers.js'

/** @typedef {import('../assets.js').Model} Model */
/** @typedef {import('../rpc/messages.js').EncodedContent} EncodedContent */
/** @typedef {import('../rpc/messages.js').Matte} Matte */
/** @typedef {import('../rpc/messages.js').OutputOptions} OutputOptions */
/** @typedef {import('../rpc/messages.js').Progress} Progress */
/** @typedef {import('../rpc/messages.js').RefineOptions} RefineOptions */
/** @typedef {import('../rpc/errors.js').Stage} Stage */

/**
 * @typedef {{
 *   source: Blob | ImageBitmap | ImageData,
 *   name: string,
 *   model: Model,
 *   secondLook: boolean,
 *   refine: RefineOptions,
 *   output: OutputOptions,
 *   content: EncodedContent,
 *   signal: AbortSignal | undefined,
 *   onProgress: (progress: Progress) => void,
 *   onPreview: ((preview: ImageBitmap) => void) | undefined,
 * }} Job
 */

/**
 * @typedef {{
 *   decode_ms: number,
 *   preprocess_ms: number,
 *   infer_ms: number,
 *   refine_ms: number,
 *   encode_ms: number,
 *   total_ms: number,
 * }} Timings
 */

/**
 * @typedef {{
 *   blob: Blob,
 *   height: number,
 *   width: number,
 *   backend: 'wasm',
 *   matte: Matte,
 *   timings: Timings,
 * }} Outcome
 */

/**
 * @param {Job} job
 * @returns {Promise<Outcome>}
 */
export async function runPipeline(job) {
  const { source, name, model, signal } = job
  const clock = new StageClock(job)

  const decoding = clock.time('decode', () =>
    inferenceWorker.call('decode', { source, name }, 'decode', { signal }),
  )
  // What a photo does not depend on starts meanwhile; a bad photo does not wait for it to fail.
  const loading = startedEarly(loadNetwork(model, job))
  const python = startedEarly(pythonWorker.call('start', null, 'refine', { signal }))

  const decoded = await decoding
  const { backend } = await loading

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

  await python
  const { handle } = await clock.time('refine', () =>
    pythonWorker.call('openPhoto', { photo, matte }, 'refine', { signal, transfer: [photo.rgba] }),
  )
  try {
    if (job.secondLook) await lookAgain(handle, job, clock)
    const file = await finish(handle, decoded.density, job, clock)
    return { ...file, backend, matte, timings: clock.timings() }
  } finally {
    pythonWorker.call('closePhoto', { handle }, 'refine').catch(() => {}) // gone with its worker
  }
}

/**
 * The same for a photo before a plain backdrop: no network is loaded and none runs.
 * @param {Omit<Job, 'model' | 'secondLook'> & { chromaKey: string }} job
 * @returns {Promise<Outcome>} `backend` is Python's
 */
export async function runKeyedPipeline(job) {
  const { source, name, chromaKey, signal } = job
  const clock = new StageClock(job)

  const python = startedEarly(pythonWorker.call('start', null, 'refine', { signal }))
  const photo = await clock.time('decode', () =>
    inferenceWorker.call('decode', { source, name }, 'decode', { signal }),
  )

  await python
  const { handle, matte } = await clock.time('infer', () =>
    pythonWorker.call('openKeyedPhoto', { photo, key: chromaKey }, 'infer', {
      signal,
      transfer: [photo.rgba],
    }),
  )
  try {
    const file = await finish(handle, photo.density, job, clock)
    return { ...file, backend: 'wasm', matte, timings: clock.timings() }
  } finally {
    pythonWorker.call('closePhoto', { handle }, 'refine').catch(() => {})
  }
}

/**
 * From an open photo with its matte to the file.
 * @param {number} handle
 * @param {import('../rpc/messages.js').Density | null} density
 * @param {Omit<Job, 'model' | 'secondLook'>} job
 * @param {StageClock} clock
 */
async function finish(handle, density, job, clock) {
  const { output, content, signal } = job
  await clock.time('refine', () => refineAndShow(handle, job))
  const { bytes, height, width } = await clock.time('encode', () =>
    pythonWorker.call('encode', { handle, output, content, density }, 'encode', { signal }),
  )
  return { blob: new Blob([bytes], { type: output.type ?? 'image/png' }), height, width }
}

/**
 * Runs the network on the subject's box, where it does not fill the photo, for finer edges.
 * @param {number} handle
 * @param {Job} job
 * @param {StageClock} clock
 */
async function lookAgain(handle, { model, signal }, clock) {
  const part = await pythonWorker.call('subjectPart', { handle }, 'refine', { signal })
  if (!part) return
  const { input } = await clock.time('preprocess', () =>
    inferenceWorker.call('preprocess', { photo: part, model: model.name }, 'preprocess', {
      signal,
      transfer: [part.rgba],
    }),
  )
  const matte = await clock.time('infer', () =>
    inferenceWorker.call('infer', { input, model: model.name }, 'infer', {
      signal,
      transfer: [input.buffer],
    }),
  )
  await pythonWorker.call('addSecondLook', { handle, matte }, 'refine', { signal })
}

/**
 * @param {number} handle
 * @param {Pick<Job, 'refine' | 'signal' | 'onProgress' | 'onPreview'>} job
 */
async function refineAndShow(handle, { refine, signal, onProgress, onPreview }) {
  const { preview } = await pythonWorker.call(
    'refine',
    { handle, options: refine, preview: Boolean(onPreview) },
    'refine',
    { signal, onProgress },
  )
  if (preview) onPreview?.(preview)
}

/** Times the stages of one job and tells when each begins and ends. */
class StageClock {
  #startedAt_ms = performance.now()
  #spent_ms = { decode: 0, preprocess: 0, infer: 0, refine: 0, encode: 0 }

  /** @param {Pick<Job, 'onProgress'>} job */
  constructor({ onProgress }) {
    this.onProgress = onProgress
  }

  /**
   * @template T
   * @param {'decode' | 'preprocess' | 'infer' | 'refine' | 'encode'} stage
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  async time(stage, run) {
    this.onProgress({ stage, done: 0, total: 1 })
    const startedAt_ms = performance.now()
    const result = await run()
    this.#spent_ms[stage] += performance.now() - startedAt_ms
    this.onProgress({ stage, done: 1, total: 1 })
    return result
  }

  /** @returns {Timings} */
  timings() {
    return {
      decode_ms: this.#spent_ms.decode,
      preprocess_ms: this.#spent_ms.preprocess,
      infer_ms: this.#spent_ms.infer,
      refine_ms: this.#spent_ms.refine,
      encode_ms: this.#spent_ms.encode,
      total_ms: performance.now() - this.#startedAt_ms,
    }
  }
}
