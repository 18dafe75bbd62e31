/** The model store, Python worker: Python downloads, verifies and keeps (`pyside_logic/store.py`). */

import { callPython } from './python.js'

/** @typedef {import('../rpc/messages.js').PythonCalls} PythonCalls */
/** @typedef {import('../rpc/serve.js').OnProgress} OnProgress */

/**
 * @param {PythonCalls['ensureModel'][0]} request
 * @param {OnProgress} onProgress in bytes
 * @returns {Promise<PythonCalls['ensureModel'][1]>}
 */
export function ensureModel({ keep, received, ...entry }, onProgress) {
  return callPython('ensure_model', entry, keep, received, onProgress)
}

/**
 * @param {PythonCalls['nameModels'][0]} request
 * @returns {Promise<void>}
 */
export function nameModels({ place, keep }) {
  return callPython('name_models', place, keep)
}
