/** Stage 3, inference worker: ONNX Runtime Web turns the input tensor into a matte. */

import { assetUrl, findModel } from '../assets.js'
import { build } from '../build.js'
import { GossamerError, isFetchFailure, isOutOfMemory, unloadable } from '../rpc/errors.js'
import { reportLost } from '../rpc/serve.js'
import { halved } from './preprocess.js'
import { deviation, goldenInput } from './self-test.js'
import { readStoredModel } from './stored-model.js'
import { boundWasmMemory, wasmHeapBytes } from './wasm-memory.js'
import { holdWasmThreads } from './wasm-threads.js'

/** @typedef {import('../build.js').Backend} Backend */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('../rpc/messages.js').Matte} Matte */
/** @typedef {import('../rpc/messages.js').Proof} Proof */

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

/** @type {Map<Backend, Promise<OnnxRuntime>>} only those that were asked for are loaded */
const runtimes = new Map()
/** @type {Map<string, Promise<Session>>} by backend and file */
const sessions = new Map()
/** @type {Map<string, Proof>} */
const proofs = new Map()
/** What the browser said when it took the graphics device away. */
let lost = ''

/**
 * Makes the network ready to run. The second call for the same file does nothing.
 * @param {{ model: string, engine: Engine, blob: Blob | null }} request `blob` where the store could
 *   not keep it
 * @returns {Promise<null>} rejects with `model_unavailable` when it is not stored, `model_corrupt`
 *   when what is stored is not what was published, `backend_unavailable` when the engine refuses it
 */
export async function load({ model, engine, blob }) {
  await sessionOf(model, engine, blob)
  return null
}

/**
 * Runs the picture whose answer is known. This warms the engine up, too: the first run of a session
 * takes three times a later one. The second call for the same file does nothing.
 * @param {{ model: string, engine: Engine }} request
 * @returns {Promise<Proof>}
 */
export async function prove({ model, engine }) {
  const known = proofs.get(idOf(engine))
  if (known) return known
  const spec = findModel(model)
  const startedAt_ms = performance.now()
  const output = await run(goldenInput(spec), model, engine)
  const proof = {
    ...deviation(output, spec.output, engine.artefact.golden),
    run_ms: performance.now() - startedAt_ms,
  }
  proofs.set(idOf(engine), proof)
  return proof
}

/**
 * @param {{ input: Float32Array, model: string, engine: Engine }} request input_nchw of `preprocess`
 * @returns {Promise<{ matte: Matte, heap_bytes: number }>}
 */
export async function infer({ input, model, engine }) {
  const { output } = findModel(model)
  const data = await run(input, model, engine)
  if (output.normalise === 'minmax') stretch(data)
  const matte = { data, height: output.height, width: output.width }
  return { matte, heap_bytes: wasmHeapBytes() }
}

/**
 * @param {{ input: Float32Array, model: string, engine: Engine }} request `model` is a draft, `input`
 *   that of the whole network
 * @returns {Promise<{ matte: Matte, heap_bytes: number }>}
 */
export async function inferDraft({ input, model, engine }) {
  return infer({ input: halved(input, findModel(model).input), model, engine })
}

/**
 * @param {Float32Array} input
 * @param {string} model
 * @param {Engine} engine
 * @returns {Promise<Float32Array<ArrayBuffer>>} the output as it is
 */
async function run(input, model, engine) {
  const { input: inputSpec, output } = findModel(model)
  const session = await sessionOf(model, engine, null) // a worker that was started anew has none
  const ort = await runtimeOf(engine)
  const tensor = new ort.Tensor('float32', input, [1, 3, inputSpec.height, inputSpec.width])
  try {
    const results = await session.run({ [inputSpec.name]: tensor }, [output.name])
    const result = /** @type {Tensor} */ (results[output.name])
    const data = new Float32Array(await result.getData()) // its memory is the engine's
    result.dispose()
    if (lost) throw new Error(lost) // whatever came then is no matte
    return data
  } catch (error) {
    if (isOutOfMemory(error)) throw error
    if (engine.backend === 'webgpu') await newsOfLoss(ort.env.webgpu.device)
    throw new GossamerError('backend_unavailable', 'infer', `failed: ${firstLine(error)}`)
  }
}

/**
 * A run may fail because its device is gone a moment before the browser says so.
 * @param {GPUDevice} device
 */
function newsOfLoss(device) {
  return Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, LOSS_NEWS_MS))])
}

/**
 * @param {string} model
 * @param {Engine} engine
 * @param {Blob | null} blob
 */
function sessionOf(model, engine, blob) {
  const id = idOf(engine)
  const known = sessions.get(id)
  if (known) return known
  const created = createSession(model, engine, blob)
  sessions.set(id, created)
  created.catch(() => sessions.delete(id))
  return created
}

/** @param {Engine} engine two backends may share a file */
function idOf({ backend, artefact }) {
  return `${backend} ${artefact.sha256}`
}

/**
 * @param {string} model
 * @param {Engine} engine
 * @param {Blob | null} blob
 */
async function createSession(model, engine, blob) {
  const { title } = findModel(model)
  const { backend, artefact } = engine
  const starting = runtimeOf(engine)
  starting.catch(() => {}) // told below, unless there is no network either
  const bytes = await readStoredModel({ title, sha256: artefact.sha256 }, blob)
  const ort = await starting
  /** @type {Session} */
  let session
  try {
    session = await ort.InferenceSession.create(bytes, { executionProviders: [backend] })
  } catch (error) {
    if (isOutOfMemory(error)) throw error
    // An engine that could not be fetched is no proof against the device.
    if (isFetchFailure(error)) throw unreachable(error)
    const binary = BINARIES[backend]
    if (binary) await requireReachable(fileUrl(`${binary}.wasm`))
    const words = `The network ${title} could not be started: ${firstLine(error)}`
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

/** @param {Engine} engine */
async function runtimeOf(engine) {
  const { backend } = engine
  const loading = runtimes.get(backend) ?? importRuntime(engine)
  runtimes.set(backend, loading)
  try {
    return await loading
  } catch (error) {
    runtimes.delete(backend)
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
  const ort = /** @type {OnnxRuntime} */ (await import(fileUrl(`ort.${backend}.min.mjs`)))
  ort.env.logLevel = 'error'
  const binary = BINARIES[backend]
  if (binary) {
    ort.env.wasm.wasmPaths = { mjs: fileUrl(`${binary}.mjs`), wasm: fileUrl(`${binary}.wasm`) }
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

/** @param {unknown} reason */
function unreachable(reason) {
  const words = `The engine that runs the network could not be loaded: ${firstLine(reason)}. Check the connection and try again.`
  return unloadable(words, 'model', 'model_unavailable')
}

/** @param {unknown} error the further lines are about file formats that this is not */
function firstLine(error) {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]
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
