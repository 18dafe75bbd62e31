/** Our own engine, for networks that the site has a plan of: fetches it, and starts its threads. */

import { assetUrl } from '../assets.js'
import { build } from '../build.js'
import { GossamerError, isOutOfMemory, unloadable } from '../rpc/errors.js'
import { firstLine, unreachable } from './engine-errors.js'
import { Once } from './once.js'
import { fetchWhole } from './whole-file.js'
import { openNetwork } from './winograd.js'

/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('./infer.js').OpenEngine} OpenEngine */
/** @typedef {import('./winograd.js').ThreadStart} ThreadStart */

/** Firefox takes a worker for garbage that nothing but its own message handler leads to. */
const workers = new Set()
/** @type {Once<string, Uint8Array<ArrayBuffer>>} by path; a network is asked for before it is here */
const files = new Once()

/** @type {OpenEngine} */
export async function openWinograd({ artefact, threads }) {
  const names = build.winograd
  const [kernel, plan] = await Promise.all([
    fetched(threads > 1 ? names.threads : names.single),
    fetched(artefact.plan?.path ?? ''),
  ])
  return async (file, { title }) => {
    try {
      const { run, small } = await openNetwork({
        kernel: await WebAssembly.compile(kernel),
        plan,
        file,
        threads,
        startThread,
      })
      return {
        run: async (input) => finished(() => run(input)),
        small: small && { ...small, run: async (input) => finished(() => small.run(input)) },
      }
    } catch (error) {
      if (isOutOfMemory(error)) throw error
      throw unloadable(
        `could not be started with the network ${title}: ${firstLine(error)}`,
        'model',
      )
    }
  }
}

/**
 * @template T
 * @param {() => T} run
 */
function finished(run) {
  try {
    return run()
  } catch (error) {
    throw new GossamerError('backend_unavailable', 'infer', `failed: ${firstLine(error)}`)
  }
}

/** @param {string} path */
function fetched(path) {
  return files.get(path, () => fetchBytes(path))
}

/**
 * @param {string} path
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function fetchBytes(path) {
  try {
    return await fetchWhole(path)
  } catch (error) {
    throw unreachable(error, 'infer') // and not the network, which ONNX Runtime may have more luck with
  }
}

/**
 * @param {ThreadStart} start
 * @returns {Promise<void>}
 */
function startThread(start) {
  const worker = new Worker(assetUrl('js/workers/winograd-thread.js'), { type: 'module' })
  workers.add(worker)
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve())
    worker.onerror = ({ message }) => reject(new Error(message || 'a thread could not be loaded'))
    worker.postMessage(start)
  })
}
