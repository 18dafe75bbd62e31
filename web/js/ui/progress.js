/** One photo's progress as a single number, from the stages that the public API reports. */

/** @typedef {'model' | 'decode' | 'preprocess' | 'infer' | 'refine' | 'encode'} StageName */
/** @typedef {{ stage: StageName, done: number, total: number }} StageReport */
/**
 * @typedef {object} Progress
 * @property {StageName} stage the stage to put into words
 * @property {number} fraction of the whole photo, 0 to 1, never falling
 * @property {number} doneBytes of the model download, 0 when there is none
 * @property {number} totalBytes of the model download, 0 when there is none
 */

/**
 * Shares of a 12-megapixel photo's time. A download dominates the first photo, so it has a
 * share only when bytes are really on their way.
 * @type {Record<StageName, number>}
 */
const SHARES = { model: 100, decode: 10, preprocess: 5, infer: 45, refine: 25, encode: 15 }
const ORDER = /** @type {StageName[]} */ (Object.keys(SHARES))

export class ProgressMeter {
  /** @type {Record<StageName, number>} */
  #finished = { model: 0, decode: 0, preprocess: 0, infer: 0, refine: 0, encode: 0 }
  #downloading = false
  /** @type {Progress} */
  #progress

  /** @param {StageName} first put into words before anything is reported */
  constructor(first = 'decode') {
    this.#progress = { stage: first, fraction: 0, doneBytes: 0, totalBytes: 0 }
  }

  /** @returns {Progress} */
  get progress() {
    return this.#progress
  }

  /**
   * @param {StageReport} report
   * @returns {Progress}
   */
  update({ stage, done, total }) {
    const finished = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0
    if (stage === 'model' && total > 0 && done < total) this.#downloading = true
    if (stage !== 'model') this.#finishEarlier(stage)
    this.#finished[stage] = finished
    // Decoding runs beside the download; while bytes come in, they are what a person waits for,
    // and a decoded photo waits for the network and its runtime.
    // It is told once, as the words would come and go.
    const fetching = this.#downloading && this.#finished.model < 1
    const isOpen = stage === 'decode' && finished === 1
    const isTold = this.#progress.stage === 'model' && isBeforeInfer(stage)
    const bytes = stage === 'model' && this.#downloading ? { done, total } : null
    this.#progress = {
      stage: fetching || isOpen || isTold ? 'model' : stage,
      fraction: Math.max(this.#progress.fraction, this.#sum()),
      doneBytes: bytes?.done ?? this.#progress.doneBytes,
      totalBytes: bytes?.total ?? this.#progress.totalBytes,
    }
    return this.#progress
  }

  /** @param {StageName} stage everything before the network's run may overlap, nothing after it */
  #finishEarlier(stage) {
    if (isBeforeInfer(stage)) return
    for (const earlier of ORDER.slice(0, ORDER.indexOf(stage))) this.#finished[earlier] = 1
  }

  #sum() {
    let finished = 0
    let all = 0
    for (const stage of ORDER) {
      if (stage === 'model' && !this.#downloading) continue
      finished += SHARES[stage] * this.#finished[stage]
      all += SHARES[stage]
    }
    return finished / all
  }
}

/** @param {StageName} stage */
function isBeforeInfer(stage) {
  return ORDER.indexOf(stage) < ORDER.indexOf('infer')
}
