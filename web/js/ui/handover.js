/** What is on the stage stays until what comes next can be drawn whole, for a moment at most. */

/** @typedef {import('./queue.js').Photo} Photo */

/** Whoever waits for longer thinks that nothing has happened. */
const KEPT_FOR_MS = 150

export class Handover {
  /** The one that comes next, null where nobody waits. @type {Photo | null} */
  photo = null
  #take = () => {}
  #timer = 0

  /**
   * In place of the one before it, with what is left of its time: who walks on and on sees where.
   * @param {Photo | null} photo
   * @param {() => void} take puts it on the stage
   */
  begin(photo, take) {
    this.photo = photo
    this.#take = take
    this.#timer ||= setTimeout(() => this.end(), KEPT_FOR_MS)
  }

  /** Nobody waits any longer. */
  end() {
    const take = this.#take
    this.cancel()
    take()
  }

  cancel() {
    clearTimeout(this.#timer)
    this.#timer = 0
    this.photo = null
    this.#take = () => {}
  }
}
