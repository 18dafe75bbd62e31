/**
 * Python in its worker: starts Pyodide and hands out `pyside_logic.bridge`, whose functions stages
 * 4 and 5 call.
 */

import { assetUrl } from '../assets.js'
import { build } from '../build.js'
import { REMEDY } from '../imports.js'
import { fromWire, GossamerError, unloadable } from '../rpc/errors.js'
import { boundWasmMemory } from './wasm-memory.js'
import { fetchWhole } from './whole-file.js'

/** @typedef {(...args: any[]) => any} PyCallable */
/** @typedef {Record<string, PyCallable>} Bridge */
/**
 * @typedef {{
 *   pyimport(name: string): Bridge,
 *   loadPackage(
 *     names: string[],
 *     options: { errorCallback(message: string): void, messageCallback(message: string): void },
 *   ): Promise<unknown[]>,
 * }} Pyodide
 */

/** Who waits to hear that something went wrong waits no longer than this for what is fetched anew. */
const MEND_LIMIT_MS = 30_000

/**
 * Beyond it, Pyodide takes addresses for negative numbers: what it hands out is then read elsewhere, and
 * a file comes as zeros, without an error. Here Python runs out of memory, and says so.
 */
const MEMORY_BYTES = 2 ** 31

/** @type {Promise<{ pyodide: Pyodide, bridge: Bridge }> | null} */
let started = null

/**
 * Starts Python; later calls wait for the same start.
 * @param {() => void} [onArrived] Python itself is here, and what more is to be fetched delays it no
 *   longer
 * @returns {Promise<Bridge>}
 */
export async function startPython(onArrived) {
  return (await start(onArrived)).bridge
}

/** @param {() => void} [onArrived] */
async function start(onArrived) {
  started ??= importBridge(onArrived)
  try {
    return await started
  } catch (error) {
    started = null
    await mend(build.pyodide.files)
    throw unloadable(`Python could not be started: ${inWords(error)}. ${REMEDY}`, 'refine')
  }
}

/**
 * What came damaged may lie in the browser's cache, and would come from there at the next attempt.
 * @param {Record<string, string>} files their sha256 by name
 */
async function mend(files) {
  const { path } = build.pyodide
  const whole = Object.entries(files).map(([name, sha256]) => fetchWhole(path + name, sha256))
  const late = new Promise((resolve) => setTimeout(resolve, MEND_LIMIT_MS))
  await Promise.race([Promise.allSettled(whole), late])
}

/** @param {unknown} error of Emscripten's, some are no Errors, and String has no words for them */
function inWords(error) {
  const words = String(error)
  if (!words.startsWith('[object')) return words
  return Object(error).message ?? 'a part of it is damaged'
}

/** @param {() => void} [onArrived] */
async function importBridge(onArrived) {
  const { path, packages } = build.pyodide
  const indexURL = assetUrl(path)
  boundWasmMemory(MEMORY_BYTES)
  const { loadPyodide } = await import(`${indexURL}pyodide.js`)
  const options = { indexURL, stdout: () => {} }
  const goOn = () => {
    for (const file of Object.values(packages)) fetchAhead(indexURL + file)
    onArrived?.()
  }
  const pyodide = /** @type {Pyodide} */ (await orBrokenOff(() => loadPyodide(options), goOn))
  // Not one of the options above: Pyodide waits for ever when one breaks off before Python runs.
  const complaint = await fetchPackages(pyodide, Object.keys(packages))
  if (complaint) throw new Error(complaint)
  return { pyodide, bridge: pyodide.pyimport('pyside_logic.bridge') }
}

/**
 * Pyodide asks for its packages when Python runs. They come meanwhile, for the browser's cache.
 * @param {string} url
 */
async function fetchAhead(url) {
  try {
    await (await fetch(url)).blob()
  } catch {
    // Who needs it will ask again.
  }
}

/**
 * Fetches a package of this build that nothing needs at the start, and verifies it; once.
 * @param {string} name
 */
export async function loadPythonPackage(name) {
  const { pyodide } = await start()
  const complaint = await fetchPackages(pyodide, [name])
  if (complaint) {
    await mend(build.pyodide.later[name] ?? {})
    throw new GossamerError(
      'backend_unavailable',
      'encode',
      `This browser cannot write such files itself, and the part that can could not be fetched: ${complaint} Check the connection, or choose image/png.`,
    )
  }
}

/**
 * @param {Pyodide} pyodide
 * @param {string[]} names
 * @returns {Promise<string>} what went wrong, or nothing
 */
async function fetchPackages(pyodide, names) {
  /** @type {string[]} */
  const complaints = []
  const errorCallback = (/** @type {string} */ message) => complaints.push(message)
  try {
    await pyodide.loadPackage(names, { errorCallback, messageCallback: () => {} })
  } catch (error) {
    complaints.push(String(error))
  }
  return complaints.join(' ')
}

/**
 * Pyodide waits for ever for a WebAssembly file that breaks off on its way, or comes from a host that has
 * no type for it: it logs that and no more.
 * @param {() => Promise<unknown>} load
 * @param {() => void} onCompiled that file is here and compiled
 */
async function orBrokenOff(load, onCompiled) {
  const { instantiateStreaming } = WebAssembly
  /** @type {typeof instantiateStreaming} */
  const instantiate = async (source, imports) => {
    const response = await source
    if (response.headers.get('content-type') === 'application/wasm') {
      return instantiateStreaming.call(WebAssembly, response, imports)
    }
    return WebAssembly.instantiate(await response.arrayBuffer(), imports)
  }
  try {
    return await new Promise((resolve, reject) => {
      WebAssembly.instantiateStreaming = (source, imports) => {
        const instantiated = instantiate(source, imports)
        instantiated.then(onCompiled, reject)
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
