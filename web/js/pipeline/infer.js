/** Stage 3, inference worker: ONNX Runtime Web turns the input tensor into a matte. */

import { assetUrl, findModel } from '../assets.js'
import { build } from '../build.js'
import { unloadable } from '../rpc/errors.js'
import { readStoredModel } from './stored-model.js'

/** @typedef {import('../assets.js').Model} Model */
/** @typedef {import('../rpc/messages.js').Matte} Matte */

/**
 * The part of ONNX Runtime Web that is used here.
 * @typedef {{
 *   env: {
 *     logLevel: string,
 *     wasm: { wasmPaths: { mjs: string, wasm: string }, numThreads: number },
 *   },
 *   Tensor: new (type: 'float32', data: Float32Array, dims: number[]) => Tensor,
 *   InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> },
 * }} OnnxRuntime
 */
/** @typedef {{ data: Float32Array<ArrayBuffer>, dispose(): void }} Tensor */
/** @typedef {{ run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> }} Session */

/** More threads than this gain nothing for networks of this size: upstream's own bound. */
const MAX_THREADS = 4

/** @type {Promise<OnnxRuntime> | null} */
let runtime = null
/** @type {Map<string, Promise<Session>>} */
const sessions = new Map()

/**
 * Makes the network ready to run. The second call for the same network does nothing.
 * @param {{ model: string, blob: Blob | null }} request `blob` where the store could not keep it
 * @returns {Promise<{ backend: 'wasm', threads: number }>} rejects with `model_unavailable` when it
 *   is not stored, `model_corrupt` when what is stored is not what was published
 */
export async function load({ model, blob }) {
  const spec = findModel(model)
  const ort = await loadRuntime()
  if (!sessions.has(model)) {
    const created = createSession(ort, spec, blob)
    sessions.set(model, created)
    created.catch(() => sessions.delete(model))
  }
  await sessions.get(model)
  return { backend: 'wasm', threads: ort.env.wasm.numThreads }
}

/**
 * The first run of a session takes three times a later one, while the engine still compiles.
 * @param {{ model: string }} request
 */
export async function warmUp({ model }) {
  const { height, width } = findModel(model).input
  await infer({ input: new Float32Array(3 * height * width), model })
}

/**
 * @param {{ input: Float32Array, model: string }} request input_nchw of `preprocess`
 * @returns {Promise<Matte>}
 */
export async function infer({ input, model }) {
  const { input: inputSpec, output } = findModel(model)
  await load({ model, blob: null }) // a worker that was started anew has nothing loaded
  const ort = await loadRuntime()
  const session = /** @type {Session} */ (await sessions.get(model))
  const tensor = new ort.Tensor('float32', input, [1, 3, inputSpec.height, inputSpec.width])
  const results = await session.run({ [inputSpec.name]: tensor })
  const result = /** @type {Tensor} */ (results[output.name])
  const data = new Float32Array(result.data) // its memory is the engine's
  result.dispose()
  if (output.normalise === 'minmax') stretch(data)
  return { data, height: output.height, width: output.width }
}

async function loadRuntime() {
  runtime ??= importRuntime()
  try {
    return await runtime
  } catch (error) {
    runtime = null
    const words = `The engine that runs the network could not be loaded: ${error}. Try again.`
    throw unloadable(words, 'model')
  }
}

/** @returns {Promise<OnnxRuntime>} */
async function importRuntime() {
  const url = (/** @type {string} */ file) => assetUrl(build.ort.path + file)
  const ort = /** @type {OnnxRuntime} */ (await import(url('ort.wasm.min.mjs')))
  ort.env.logLevel = 'error'
  ort.env.wasm.wasmPaths = {
    mjs: url('ort-wasm-simd-threaded.mjs'),
    wasm: url('ort-wasm-simd-threaded.wasm'),
  }
  ort.env.wasm.numThreads = globalThis.crossOriginIsolated
    ? Math.min(navigator.hardwareConcurrency, MAX_THREADS)
    : 1
  return ort
}

/**
 * @param {OnnxRuntime} ort
 * @param {Model} spec
 * @param {Blob | null} blob
 */
async function createSession(ort, spec, blob) {
  const bytes = await readStoredModel(spec, blob)
  try {
    return await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] })
  } catch (error) {
    throw unloadable(
      `The network ${spec.title} could not be started: ${error}. Try again.`,
      'model',
    )
  }
}

/**
 * Min-max normalisation, in place; a constant matte stays as it is.
 * @param {Float32Array} data
 */
function stretch(data) {
  let low = Infinity
  let high = -Infinity
  for (const value of data) {
    if (value < low) low = value
    if (value > high) high = value
  }
  const range = high - low
  if (range > 0) for (let i = 0; i < data.length; i++) data[i] = (data[i] - low) / range
}
