/** Stage `infer`, inference worker: an engine turns the input tensor into a matte. */

import { findModel } from '../assets.js'
import { peakOf } from './confidence.js'
import { resizePlanes } from './lanczos.js'
import { Once } from './once.js'
import { openOnnxRuntime } from './onnx-runtime.js'
import { deviation, goldenInput, readAnswer } from './self-test.js'
import { readStoredModel } from './stored-model.js'
import { wasmHeapBytes } from './wasm-memory.js'
import { openWinograd } from './winograd-engine.js'

/** @typedef {import('../build.js').Model} Model */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {import('../rpc/messages.js').Matte} Matte */
/** @typedef {import('../rpc/messages.js').Proof} Proof */

/**
 * Input (1, 3, height, width) to output (1, 1, height, width), as it is.
 * @typedef {(input: Float32Array) => Promise<Float32Array<ArrayBuffer>>} Run
 */
/**
 * A network that is ready; `small`: for pictures of another size, with the same weights and code.
 * @typedef {{ run: Run, small: { run: Run, height: number, width: number } | null }} Network
 */
/**
 * Loads the engine itself; what it resolves to takes the network's file.
 * @typedef {(engine: Engine) => Promise<(file: Uint8Array, model: Model) => Promise<Network>>} OpenEngine
 */

/** @type {Record<Engine['runtime'], OpenEngine>} */
const RUNTIMES = { onnxruntime: openOnnxRuntime, winograd: openWinograd }

/** @type {Once<string, Network>} */
const networks = new Once()
/** @type {Map<string, Proof>} */
const proofs = new Map()

/**
 * Makes the network ready to run. The second call for the same file does nothing.
 * @param {{ model: string, engine: Engine, blob: Blob | null }} request `blob` where the store could
 *   not keep it
 * @returns {Promise<null>} rejects with `model_unavailable` when it is not stored, `model_corrupt`
 *   when what is stored is not what was published, `backend_unavailable` when the engine refuses it
 */
export async function load({ model, engine, blob }) {
  await networkOf(model, engine, blob)
  return null
}

/**
 * Runs the picture whose answer is known, small where the engine can: then a photo waits for a
 * quarter of a run. This warms the engine up, too: the first run of ONNX Runtime's takes three times
 * a later one. The second call for the same file does nothing.
 * @param {{ model: string, engine: Engine }} request
 * @returns {Promise<Proof>} `run_ms` of a whole picture, by its pixels
 */
export async function prove({ model, engine }) {
  const known = proofs.get(idOf(engine))
  if (known) return known
  const { input } = findModel(model)
  const { run, small } = await networkOf(model, engine, null)
  const { runtime, artefact } = engine
  const answer = readAnswer((runtime === 'winograd' && artefact.plan?.golden) || artefact.golden)
  const { height, width } = small ?? input
  const startedAt_ms = performance.now()
  const output = await (small?.run ?? run)(goldenInput({ ...input, height, width }, answer.picture))
  const took_ms = performance.now() - startedAt_ms
  const proof = {
    ...deviation(output, { height, width }, answer),
    run_ms: (took_ms * input.height * input.width) / (height * width),
  }
  proofs.set(idOf(engine), proof)
  return proof
}

/**
 * @param {{ input: Float32Array, model: string, engine: Engine }} request input_nchw of `preprocess`
 * @returns {Promise<{ matte: Matte, peak: number, heap_bytes: number }>} `peak` as of `peakOf`;
 *   `heap_bytes` of ONNX Runtime, 0 without it
 */
export async function infer({ input, model, engine }) {
  const { output } = findModel(model)
  const data = await run(input, model, engine)
  const peak = output.normalise === 'minmax' ? stretch(data) : 1
  const matte = { data, height: output.height, width: output.width }
  return { matte, peak, heap_bytes: wasmHeapBytes() }
}

/**
 * The same network on the same picture in fewer pixels.
 * @param {{ input: Float32Array, model: string, engine: Engine }} request `engine` has a plan for that
 * @returns {Promise<{ matte: Matte }>}
 */
export async function inferWider({ input, model, engine }) {
  const spec = findModel(model)
  const { small } = await networkOf(model, engine, null)
  if (!small) throw new Error(`${engine.artefact.plan?.path} has no plan for a small picture`)
  const data = await small.run(resizePlanes(input, spec.input, small))
  if (spec.output.normalise === 'minmax') stretch(data)
  return { matte: { data, height: small.height, width: small.width } }
}

/**
 * @param {Float32Array} input
 * @param {string} model
 * @param {Engine} engine
 */
async function run(input, model, engine) {
  const network = await networkOf(model, engine, null) // a worker that was started anew has none
  return network.run(input)
}

/**
 * @param {string} model
 * @param {Engine} engine
 * @param {Blob | null} blob
 */
function networkOf(model, engine, blob) {
  return networks.get(idOf(engine), () => openNetwork(model, engine, blob))
}

/** @param {Engine} engine several may share a file */
function idOf({ runtime, backend, artefact }) {
  return `${runtime} ${backend} ${artefact.sha256}`
}

/**
 * @param {string} name
 * @param {Engine} engine
 * @param {Blob | null} blob
 */
async function openNetwork(name, engine, blob) {
  const model = findModel(name)
  const opening = RUNTIMES[engine.runtime](engine)
  opening.catch(() => {}) // told below, unless there is no network either
  const file = await readStoredModel({ title: model.title, sha256: engine.artefact.sha256 }, blob)
  const open = await opening
  return open(file, model)
}

/**
 * Min-max normalisation, in place; a constant matte stays as it is.
 * @param {Float32Array} data
 * @returns {number} as of `peakOf`
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
  return peakOf(low, high)
}
