/** A picture's way, from file to file. Reads from top to bottom. */

import { EngineChoice } from './backends.js'
import { countRun, inferenceWorker, pythonWorker, startedEarly } from './workers.js'

/** @typedef {import('../assets.js').Model} Model */
/** @typedef {import('../rpc/messages.js').Density} Density */
/** @typedef {import('../rpc/messages.js').EncodedContent} EncodedContent */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('../rpc/messages.js').Matte} Matte */
/** @typedef {import('../rpc/messages.js').OutputOptions} OutputOptions */
/** @typedef {import('../rpc/messages.js').Photo} Photo */
/** @typedef {import('../rpc/messages.js').Progress} Progress */
/** @typedef {import('../rpc/messages.js').RefineOptions} RefineOptions */
/** @typedef {import('../rpc/errors.js').Stage} Stage */

/**
 * @typedef {{
 *   source: Blob | ImageBitmap | ImageData,
 *   name: string,
 *   model: Model,
 *   backend: import('./engines.js').Wanted,
 *   refine: RefineOptions,
 *   output: OutputOptions,
 *   content: EncodedContent,
 *   signal: AbortSignal | undefined,
 *   onProgress: (progress: Progress) => void,
 *   onNotice: (notice: string) => void,
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
 *   engine: Engine,
 *   matte: Matte,
 *   timings: Timings,
 * }} Outcome
 */

/**
 * @param {Job} job
 * @returns {Promise<Outcome>}
 */
export async function runPipeline(job) {
  const { signal } = job
  const clock = new StageClock(job)
  // Starts while the network runs.
  const python = startedEarly(pythonWorker.call('start', null, 'refine', { signal }))
  const { photo, matte, engine, density } = await findSubject(job, clock)

  await python
  const { handle } = await clock.time('refine', () =>
    pythonWorker.call('openPhoto', { photo, matte }, 'refine', { signal, transfer: [photo.rgba] }),
  )
  try {
    await clock.time('refine', () => refineAndShow(handle, job))
    const { output, content } = job
    const file = await clock.time('encode', () =>
      pythonWorker.call('encode', { handle, output, content, density }, 'encode', { signal }),
    )
    const blob = new Blob([file.bytes], { type: output.type ?? 'image/png' })
    const { height, width } = file
    return { blob, height, width, engine, matte, timings: clock.timings() }
  } finally {
    pythonWorker.call('closePhoto', { handle }, 'refine').catch(() => {}) // gone with its worker
  }
}

/**
 * On the first engine that gets through with it.
 * @param {Job} job
 * @param {StageClock} clock
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
 * @param {Job} job
 * @param {EngineChoice} choice
 * @param {StageClock} clock
 * @returns {Promise<{ photo: Photo, matte: Matte, engine: Engine, density: Density | null }>}
 */
async function attempt({ source, name, model, signal }, choice, clock) {
  const decoding = clock.time('decode', () =>
    inferenceWorker.call('decode', { source, name }, 'decode', { signal }),
  )
  // A bad photo does not wait for the network to fail.
  const choosing = startedEarly(choice.ready())
  const { density, ...decoded } = await decoding
  const engine = await choosing

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
  return { photo, matte, engine, density }
}

/**
 * @param {number} handle
 * @param {Job} job
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

  /** @param {Job} job */
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
