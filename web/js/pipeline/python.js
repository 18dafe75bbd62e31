/**
 * Python in its worker: starts Pyodide and hands out `pyside_logic.bridge`, whose functions stages
 * 4 and 5 call.
 */

import { assetUrl } from '../assets.js'
import { build } from '../build.js'
import { fromWire, GossamerError, unloadable } from '../rpc/errors.js'

/** @typedef {(...args: any[]) => any} PyCallable */
/** @typedef {Record<string, PyCallable>} Bridge */
/**
 * @typedef {{
 *   pyimport(name: string): Bridge,
 *   loadPackage(name: string, options: { errorCallback(message: string): void }): Promise<unknown[]>,
 * }} Pyodide
 */

/** @type {Promise<{ pyodide: Pyodide, bridge: Bridge }> | null} */
let started = null

/**
 * Starts Python; later calls wait for the same start.
 * @returns {Promise<Bridge>}
 */
export async function startPython() {
  return (await start()).bridge
}

async function start() {
  started ??= importBridge()
  try {
    return await started
  } catch (error) {
    started = null
    throw unloadable(`Python could not be started: ${error}. Try again.`, 'refine')
  }
}

async function importBridge() {
  const indexURL = assetUrl(build.pyodide.path)
  const { loadPyodide } = await import(`${indexURL}pyodide.mjs`)
  const options = { indexURL, packages: build.pyodide.packages, stdout: () => {} }
  const pyodide = /** @type {Pyodide} */ (await orBrokenOff(() => loadPyodide(options)))
  return { pyodide, bridge: pyodide.pyimport('pyside_logic.bridge') }
}

/**
 * Fetches a package of this build that nothing needs at the start, and verifies it; once.
 * @param {string} name
 */
export async function loadPythonPackage(name) {
  const { pyodide } = await start()
  /** @type {string[]} */
  const complaints = []
  const failed = await pyodide
    .loadPackage(name, { errorCallback: (message) => complaints.push(message) })
    .then(() => '')
    .catch((error) => String(error))
  if (failed || complaints.length > 0) {
    throw new GossamerError(
      'backend_unavailable',
      'encode',
      `This browser cannot write such files itself, and the part that can could not be fetched: ${failed || complaints.join(' ')} Check the connection, or choose image/png.`,
    )
  }
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
