/** What this device remembers of a person's choices; where storage is refused, nothing. */

const PREFIX = 'gossamer-'

/**
 * Storage belongs to an origin, and several sites may share one.
 * @param {string} name
 */
function keyOf(name) {
  return `${PREFIX}${name} ${folder()}`
}

function folder() {
  return new URL('.', location.href).pathname
}

/**
 * @template T
 * @param {string} name
 * @param {T} otherwise also the answer when what is stored is of another type
 * @returns {T}
 */
export function recall(name, otherwise) {
  try {
    const stored = localStorage.getItem(keyOf(name)) ?? localStorage.getItem(PREFIX + name) // as it once was
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
    localStorage.setItem(keyOf(name), JSON.stringify(value))
  } catch {
    // refused, or full: the choice lasts as long as the page
  }
}

export function forgetAll() {
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))
    const ours = keys.filter((key) => !key.includes(' ') || key.endsWith(` ${folder()}`))
    for (const key of ours) localStorage.removeItem(key)
  } catch {
    // refused: there is nothing to forget
  }
}
