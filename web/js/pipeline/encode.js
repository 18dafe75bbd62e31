/** Stage 5, Python worker: pixels become a file (`pyside_logic/encode.py`). */

import { callPython } from './python.js'

/** @typedef {import('../rpc/messages.js').PythonCalls} PythonCalls */

/**
 * @param {PythonCalls['encode'][0]} request
 * @returns {Promise<PythonCalls['encode'][1]>} the file's bytes
 */
export function encode({ handle, type, content }) {
  return callPython('encode', handle, type, content)
}
