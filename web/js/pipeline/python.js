/**
 * Python in its worker: starts Pyodide and hands out `pyside_logic.bridge`, whose functions stages
 * 4 and 5 call.
 */

import { assetUrl } from '../assets.js'
import { build } from '../build.js'
import { fromWire, GossamerError } from '../rpc/errors.js'

/** @typedef {(...args: any[]) => any} PyCallable */
/** @typedef {Record<string, PyCallable>} Bridge */
/** @typedef {{ pyimport(name: string): Bridge }} Pyodide */

/** @type {Promise<Bridge> | null} */
let bridge = null

/**
 * Starts Python; later calls wait for the same start.
 * @returns {Promise<Bridge>}
 */
export async function startPython() {
  bridge ??= importBridge()
  try {
    return await bridge
  } catch (error) {
    bridge = null
    throw new GossamerError(
      'backend_unavailable',
      'refine',
      `Python could not be started: ${error}. Reload the page.`,
    )
  }
}

/** @returns {Promise<Bridge>} */
async function importBridge() {
  const indexURL = assetUrl(build.pyodide.path)
  const { loadPyodide } = await import(`${indexURL}pyodide.mjs`)
  const pyodide = /** @type {Pyodide} */ (
    await loadPyodide({
      indexURL,
      packages: build.pyodide.packages,
      stdout: () => {},
    })
  )
  return pyodide.pyimport('pyside_logic.bridge')
}

/**
 * Calls a bridge function.
 * @param {string} name
 * @param {...unknown} args
 * @returns {Promise<any>} rejects with what Python raised, as a GossamerError
 */
export async function callPython(name, ...args) {
  const python = await startPython()
  const { value, error } = await /** @type {PyCallable} */ (python[name])(...args)
  if (error) throw fromWire(error)
  return value
}
