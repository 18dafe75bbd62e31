/** ONNX Runtime Web, which runs every network, on WASM, WebGL and WebGPU. */

import { assetUrl } from '../assets.js'
import { build } from '../build.js'
import { GossamerError, isFetchFailure, isOutOfMemory, unloadable } from '../rpc/errors.js'
import { reportLost } from '../rpc/serve.js'
import { firstLine, unreachable } from './engine-errors.js'
import { Once } from './once.js'
import { boundWasmMemory } from './wasm-memory.js'
import { holdWasmThreads } from './wasm-threads.js'

/** @typedef {import('../build.js').Backend} Backend */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('./infer.js').OpenEngine} OpenEngine */

/**
 * The part of ONNX Runtime Web that is used here.
 * @typedef {{
 *   env: {
 *     logLevel: string,
 *     wasm: { wasmPaths: { mjs: string, wasm: string }, numThreads: number },
 *     webgpu: { device: GPUDevice },
 *   },
 *   Tensor: new (type: 'float32', data: Float32Array, dims: number[]) => Tensor,
 *   InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> },
 * }} OnnxRuntime
 */
/** @typedef {{ getData(): Promise<Float32Array<ArrayBuffer>>, dispose(): void }} Tensor */
/** @typedef {{ run(feeds: Record<string, Tensor>, names: string[]): Promise<Record<string, Tensor>> }} Session */

/** The WebAssembly behind each bundle; WebGL's is JavaScript alone. */
const BINARIES = {
  wasm: 'ort-wasm-simd-threaded',
  webgpu: 'ort-wasm-simd-threaded.asyncify',
  webgl: null,
}

const LOSS_NEWS_MS = 200
const NO_NETWORK = Uint8Array.of(0)

/** @type {Once<Backend, OnnxRuntime>} only those that were asked for are loaded */
const runtimes = new Once()
/** What the browser said when it took the graphics device away. */
let lost = ''

/** @type {OpenEngine} */
export async function openOnnxRuntime(engine) {
  const { backend } = engine
  const ort = await runtimeOf(engine)
  return async (file, { title, input: inputSpec, output: outputSpec }) => {
    const session = await createSession(ort, file, title, backend)
    const dims = [1, 3, inputSpec.height, inputSpec.width]
    /** @type {import('./infer.js').Run} */
    const run = async (input) => {
      const tensor = new ort.Tensor('float32', input, dims)
      try {
        const results = await session.run({ [inputSpec.name]: tensor }, [outputSpec.name])
        const result = /** @type {Tensor} */ (results[outputSpec.name])
        const data = new Float32Array(await result.getData()) // its memory is the engine's
        result.dispose()
        if (lost) throw new Error(lost) // whatever came then is no matte
        return data
      } catch (error) {
        if (isOutOfMemory(error)) throw error
        if (backend === 'webgpu') await newsOfLoss(ort.env.webgpu.device)
        throw new GossamerError('backend_unavailable', 'infer', `failed: ${firstLine(error)}`)
      }
    }
    return { run, small: null }
  }
}

/**
 * @param {OnnxRuntime} ort
 * @param {Uint8Array} file
 * @param {string} title
 * @param {Backend} backend
 */
async function createSession(ort, file, title, backend) {
  /** @type {Session} */
  let session
  try {
    session = await ort.InferenceSession.create(file, { executionProviders: [backend] })
  } catch (error) {
    if (isOutOfMemory(error)) throw error
    // An engine that could not be fetched is no proof against the device.
    if (isFetchFailure(error)) throw unreachable(error)
    const binary = BINARIES[backend]
    if (binary) await requireReachable(fileUrl(`${binary}.wasm`))
    const words = `could not be started with the network ${title}: ${firstLine(error)}`
    throw unloadable(words, 'model')
  }
  if (backend === 'webgpu') {
    ort.env.webgpu.device.lost.then(({ reason, message }) => {
      lost = `the graphics device was lost (${reason}: ${message})`
      reportLost(lost)
    })
  }
  return session
}

/**
 * A run may fail because its device is gone a moment before the browser says so.
 * @param {GPUDevice} device
 */
function newsOfLoss(device) {
  return Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, LOSS_NEWS_MS))])
}

/** @param {Engine} engine */
async function runtimeOf(engine) {
  try {
    return await runtimes.get(engine.backend, () => importRuntime(engine))
  } catch (error) {
    throw unreachable(error)
  }
}

/**
 * @param {Engine} engine
 * @returns {Promise<OnnxRuntime>}
 */
async function importRuntime({ backend, threads, memoryLimit_bytes }) {
  boundWasmMemory(memoryLimit_bytes)
  holdWasmThreads()
  const ort = /** @type {OnnxRuntime} */ (await import(fileUrl(`ort.${backend}.min.js`)))
  ort.env.logLevel = 'error'
  const binary = BINARIES[backend]
  if (binary) {
    ort.env.wasm.wasmPaths = { mjs: fileUrl(`${binary}.js`), wasm: fileUrl(`${binary}.wasm`) }
    ort.env.wasm.numThreads = threads
  }
  if (backend === 'wasm') {
    // It would start with the first network only, which is still on its way. WebGPU must, as it
    // refuses a session that is created beside another.
    ort.InferenceSession.create(NO_NETWORK, { executionProviders: [backend] }).catch(() => {})
  }
  return ort
}

/** @param {string} name */
function fileUrl(name) {
  return assetUrl(build.ort.path + name)
}

/** @param {string} url */
async function requireReachable(url) {
  try {
    const { ok, status } = await fetch(url, { cache: 'force-cache' })
    if (!ok) throw new Error(`the site answered ${status}`)
  } catch (error) {
    throw unreachable(error)
  }
}
