/** The way back from all that a person asks of a photo, one change after the other. */

/** @typedef {import('./edits.js').Edits} Edits */
/** Every change puts others in their place and alters none. @typedef {Pick<Edits, 'refine' | 'output' | 'strokes'>} Asked */

/** Changes of the same thing that follow one another so soon are one: a slider on its way. */
const ON_THE_WAY_MS = 500

export class History {
  /** @type {Asked[]} */
  #past = []
  /** @type {Asked[]} */
  #future = []
  /** What was changed last, and when. */
  #latest = { what: '', at_ms: 0 }

  get canUndo() {
    return this.#past.length > 0
  }

  get canRedo() {
    return this.#future.length > 0
  }

  /**
   * @param {Asked} asked before the change
   * @param {string} what it changes; nothing stands for what is never on its way
   */
  add({ refine, output, strokes }, what = '') {
    const at_ms = performance.now()
    const isSoon = at_ms - this.#latest.at_ms < ON_THE_WAY_MS
    const goesOn = what !== '' && what === this.#latest.what && isSoon
    if (!goesOn) this.#past.push({ refine, output, strokes })
    this.#future = []
    this.#latest = { what, at_ms }
  }

  /** @param {Asked} asked at present @returns {Asked | undefined} what was asked before the last change */
  undo(asked) {
    return this.#step(this.#past, this.#future, asked)
  }

  /** @param {Asked} asked at present @returns {Asked | undefined} what was asked before the last undo */
  redo(asked) {
    return this.#step(this.#future, this.#past, asked)
  }

  /**
   * @param {Asked[]} from
   * @param {Asked[]} to
   * @param {Asked} asked
   */
  #step(from, to, { refine, output, strokes }) {
    const found = from.pop()
    if (found) to.push({ refine, output, strokes })
    this.#latest = { what: '', at_ms: 0 }
    return found
  }
}
