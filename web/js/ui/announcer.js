/** What is said to those who do not see it: one line, read aloud whenever it changes. */

import { create, setText } from './dom.js'

/** A line that is emptied and filled at once has not changed. */
const EMPTY_MS = 100
/** One step after the other is one work. */
const QUIET_MS = 700

export class Announcer {
  element = create('p', { class: 'visually-hidden', role: 'status' })
  #timer = 0

  /** @param {string} words said once, however often they are told while they hold */
  tell(words) {
    clearTimeout(this.#timer)
    setText(this.element, words)
  }

  /** @param {string} words of something that has happened, perhaps not for the first time */
  announce(words) {
    if (this.element.textContent !== words) return this.tell(words)
    this.tell('')
    this.#timer = setTimeout(() => this.tell(words), EMPTY_MS)
  }

  /** @param {string} words announced unless others are told in a moment */
  announceWhenQuiet(words) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.announce(words), QUIET_MS)
  }
}
