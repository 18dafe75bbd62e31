/** What this device remembers of a person's choices; where storage is refused, nothing. */

const PREFIX = 'gossamer-'

/**
 * @template T
 * @param {string} name
 * @param {T} otherwise also the answer when what is stored is of another type
 * @returns {T}
 */
export function recall(name, otherwise) {
  try {
    const stored = localStorage.getItem(PREFIX + name)
    const value = stored === null ? otherwise : JSON.parse(stored)
    return typeof value === typeof otherwise && value !== null ? value : otherwise
  } catch {
    return otherwise
  }
}

/**
 * @param {string} name
 * @param {unknown} value anything that JSON holds
 */
export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value))
  } catch {
    // refused, or full: the choice lasts as long as the page
  }
}

export function forgetAll() {
  try {
    const ours = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))
    for (const key of ours) localStorage.removeItem(key)
  } catch {
    // refused: there is nothing to forget
  }
}
