/**
 * Python in its worker: starts Pyodide and hands out `pyside_logic.bridge`, whose functions stages
 * 4 and 5 call.
 */

import { assetUrl } from '../assets.js'
import { build } from '../build.js'
import { fromWire, unloadable } from '../rpc/errors.js'

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
    throw unloadable(`Python could not be started: ${error}. Try again.`, 'refine')
  }
}

/** @returns {Promise<Bridge>} */
async function importBridge() {
  const indexURL = assetUrl(build.pyodide.path)
  const { loadPyodide } = await import(`${indexURL}pyodide.mjs`)
  const options = { indexURL, packages: build.pyodide.packages, stdout: () => {} }
  const pyodide = /** @type {Pyodide} */ (await orBrokenOff(() => loadPyodide(options)))
  return pyodide.pyimport('pyside_logic.bridge')
}

/**
 * Pyodide waits for ever for a WebAssembly file that breaks off on its way: it logs that and no more.
 * @param {() => Promise<unknown>} load
 */
async function orBrokenOff(load) {
  const { instantiateStreaming } = WebAssembly
  try {
    return await new Promise((resolve, reject) => {
      WebAssembly.instantiateStreaming = (...args) => {
        const instantiated = instantiateStreaming.apply(WebAssembly, args)
        instantiated.catch(reject)
        return instantiated
      }
      load().then(resolve, reject)
    })
  } finally {
    WebAssembly.instantiateStreaming = instantiateStreaming
  }
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
