/** How large a preview may be on this device and still feel live. */

/** One that takes longer does not: the next one is made smaller. */
const SLOW_MS = 120
/** Sizes of a preview, of what is asked for. */
const SIZES = [1, 0.7, 0.5]

export class PreviewSize {
  /** Which of SIZES this device is quick enough for. */
  #size = 0
  #last_px = 0

  /** @param {number} wanted_px */
  of(wanted_px) {
    return Math.round(wanted_px * (SIZES[this.#size] ?? 1))
  }

  /**
   * The first one of a size makes what later ones use, so it tells nothing.
   * @param {number} longest_px of the one that was made
   * @param {number} [took_ms]
   */
  made(longest_px, took_ms = 0) {
    const isSlow = took_ms > SLOW_MS && longest_px === this.#last_px
    if (isSlow && this.#size < SIZES.length - 1) this.#size++
    this.#last_px = longest_px
  }
}
