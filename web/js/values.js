/** What it is that a caller has given: checks that hold for values of other windows, too. */

import { GossamerError } from './rpc/errors.js'

/**
 * @param {unknown} value
 * @returns {string} the name of its interface, such as 'Blob', which `instanceof` does not know of a
 *   value of an iframe
 */
export function kindOf(value) {
  return Object.prototype.toString.call(value).slice('[object '.length, -1)
}

/**
 * @param {unknown} value
 * @returns {value is Blob} a File is one
 */
export function isBlob(value) {
  return ['Blob', 'File'].includes(kindOf(value))
}

/**
 * @param {unknown} value
 * @returns {value is Blob | ImageBitmap | ImageData} that goes to a worker as it is
 */
export function isPicture(value) {
  return isBlob(value) || ['ImageBitmap', 'ImageData'].includes(kindOf(value))
}

/**
 * @param {unknown} value
 * @returns {string} for messages, whatever it is
 */
export function inWords(value) {
  try {
    return String(value)
  } catch {
    return kindOf(value)
  }
}

/**
 * What goes with a call rather than with its photo; null is as good as nothing.
 * @param {Record<string, unknown>} call
 */
export function requireCall(call) {
  const signal = /** @type {Partial<AbortSignal> | null | undefined} */ (call.signal)
  const isSignal =
    typeof signal?.aborted === 'boolean' && typeof signal.addEventListener === 'function'
  if (signal !== undefined && signal !== null && !isSignal) {
    throw unexpected('an AbortSignal', 'signal', signal)
  }
  for (const name of ['onProgress', 'onPreview', 'onAsk', 'progress']) {
    const listener = call[name]
    if (listener === undefined || listener === null || typeof listener === 'function') continue
    throw unexpected('a function', name, listener)
  }
}

/**
 * @param {string} expected
 * @param {string} name
 * @param {unknown} value
 */
export function unexpected(expected, name, value) {
  const message = `Expected ${expected} for ${name}, received ${inWords(value)}.`
  return new GossamerError('invalid_argument', 'model', message)
}

/**
 * In JavaScript an option that is undefined is one that was not given; Python would see a None.
 * @template Given
 * @param {Given} given
 * @returns {Given} without those, and what is in it as well
 */
export function withoutUndefined(given) {
  if (Array.isArray(given)) return /** @type {Given} */ (given.map(withoutUndefined))
  if (kindOf(given) !== 'Object') return given
  const entries = Object.entries(/** @type {object} */ (given))
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, withoutUndefined(value)])
  return /** @type {Given} */ (Object.fromEntries(entries))
}
