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

export class StageClock {
  #startedAt_ms = performance.now()
  #spent_ms = { decode: 0, preprocess: 0, infer: 0, refine: 0, encode: 0 }

  /** @param {{ onProgress: (progress: Progress) => void }} job */
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
