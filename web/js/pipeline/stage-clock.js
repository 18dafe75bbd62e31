/** Times the stages of one job and tells when each begins and ends. */

/** @typedef {import('../rpc/messages.js').Progress} Progress */

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

/** @typedef {'decode' | 'preprocess' | 'infer' | 'refine' | 'encode'} Timed */

export class StageClock {
  /** @type {Map<Progress['stage'], number>} of 1 */
  #reached = new Map()
  #startedAt_ms = performance.now()
  #spent_ms = { decode: 0, preprocess: 0, infer: 0, refine: 0, encode: 0 }

  /** @param {{ onProgress: (progress: Progress) => void }} job */
  constructor({ onProgress }) {
    this.onProgress = onProgress
  }

  /**
   * Tells how far a stage is, which never goes back: another engine may have begun it anew.
   * @param {Progress} progress
   */
  report(progress) {
    const { stage, done, total } = progress
    const reached = done / total
    if (reached <= (this.#reached.get(stage) ?? -1)) return
    this.#reached.set(stage, reached)
    this.onProgress(progress)
  }

  /**
   * @template T
   * @param {Timed} stage
   * @param {() => Promise<T>} run the whole of it, or what is left
   * @returns {Promise<T>}
   */
  async time(stage, run) {
    const result = await this.begin(stage, run)
    this.report({ stage, done: 1, total: 1 })
    return result
  }

  /**
   * @template T
   * @param {Timed} stage
   * @param {() => Promise<T>} run a part of it, after which it goes on
   * @returns {Promise<T>}
   */
  async begin(stage, run) {
    this.report({ stage, done: 0, total: 1 })
    const startedAt_ms = performance.now()
    const result = await run()
    this.#spent_ms[stage] += performance.now() - startedAt_ms
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
