/** One at a time: what is asked for waits for what was asked for before, whatever became of it. */

export class Turn {
  /** @type {Promise<void>} */
  #last = Promise.resolve()

  /**
   * @template T
   * @param {() => Promise<T>} run
   * @returns {Promise<T>} as `run` does
   */
  take(run) {
    const result = this.#last.then(run)
    this.#last = result.then(
      () => {},
      () => {},
    )
    return result
  }

  /** Resolves when all that has been asked for so far is done. */
  async over() {
    await this.#last
  }
}
