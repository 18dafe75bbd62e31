/** Whether somebody is still moving something. */

/** Changes that stop for so long have come to rest. */
const REST_MS = 350

export class Rest {
  #changedAt_ms = -REST_MS

  /** Something was changed just now. */
  disturb() {
    this.#changedAt_ms = performance.now()
  }

  /** For how long nobody has changed anything. */
  get since_ms() {
    return performance.now() - this.#changedAt_ms
  }

  /** How long it takes from here, when nobody changes anything; at most 0 at rest. */
  get left_ms() {
    return REST_MS - this.since_ms
  }

  /** Resolves at rest. */
  async come() {
    for (let { left_ms } = this; left_ms > 0; left_ms = this.left_ms) await pause(left_ms)
  }
}

/** @param {number} ms */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
