/**
 * The ways to run a network on a device, best first:
 *
 *     webgpu fp16 -> webgpu fp32 -> webgl -> wasm, threads -> wasm, one thread
 *
 * On WASM our own engine comes before ONNX Runtime, where it can run the network.
 */

import { findModel } from '../assets.js'
import { build } from '../build.js'

/** @typedef {import('../build.js').Artefact} Artefact */
/** @typedef {import('../build.js').Backend} Backend */
/** @typedef {import('../build.js').Model} Model */
/** @typedef {import('../rpc/messages.js').Device} Device */
/** @typedef {import('../rpc/messages.js').Engine} Engine */
/** @typedef {'auto' | Backend | readonly Backend[]} Wanted */

/** @type {readonly Backend[]} */
export const BACKENDS = ['webgpu', 'webgl', 'wasm']
const TITLES = { webgpu: 'WebGPU', webgl: 'WebGL', wasm: 'WebAssembly' }

const SMALL_MEMORY_BYTES = 2 ** 30

/**
 * Phones and tablets of Apple's refuse large memories and end pages that take them; others tell that
 * they are small. They get WASM, one thread and a bounded memory.
 */
export function isSmallDevice() {
  const { userAgent, maxTouchPoints } = navigator
  const { deviceMemory = Infinity } = /** @type {{ deviceMemory?: number }} */ (navigator)
  const isIos = /iPhone|iPad|iPod/.test(userAgent)
  const isIpadAsMac = /Macintosh/.test(userAgent) && maxTouchPoints > 1
  return isIos || isIpadAsMac || deviceMemory <= 2
}

/**
 * @param {string} name 'auto', or a network's name in the catalogue
 * @returns {Model} for 'auto' the site's default, and on small devices its smallest network; throws
 *   `invalid_argument` when this site does not ship it
 */
export function modelFor(name) {
  if (name !== 'auto' || !isSmallDevice()) return findModel(name)
  const [first] = [...build.models].sort((one, other) => wasmBytes(one) - wasmBytes(other))
  return first ?? findModel(name)
}

/**
 * @param {string} name 'auto', or a network's name in the catalogue
 * @returns {Model[]} for 'auto' those that know some subjects better than the network of `modelFor`,
 *   except on small devices; none for a network that was asked for
 */
export function specialistsFor(name) {
  if (name !== 'auto' || isSmallDevice()) return []
  const first = modelFor(name)
  return build.models.filter((model) => model.agreement !== null && model !== first)
}

/** @param {Model} model */
function wasmBytes({ artefacts }) {
  return artefacts.find(({ backend }) => backend === 'wasm')?.bytes ?? Infinity
}

/**
 * The engines for a network, best first, and why backends that were asked for have none.
 * @param {Model} model
 * @param {Wanted} wanted
 * @param {Device} device
 * @param {boolean} small
 * @returns {{ engines: Engine[], missing: string[] }}
 */
export function enginesFor(model, wanted, device, small) {
  const backends = wanted === 'auto' ? (small ? ['wasm'] : BACKENDS) : [wanted].flat()
  /** @type {Engine[]} */
  const engines = []
  /** @type {string[]} */
  const missing = []
  for (const backend of /** @type {Backend[]} */ (backends)) {
    const artefacts = model.artefacts.filter((artefact) => artefact.backend === backend)
    const reason = artefacts.length === 0 ? 'this site has no file for it' : lacks(backend, device)
    const skipped = wanted === 'auto' && backend !== 'wasm' && device[backend].software
    if (reason) missing.push(`${TITLES[backend]}: ${reason}`)
    else if (!skipped) {
      for (const artefact of artefacts) engines.push(...enginesOf(artefact, device, small))
    }
  }
  return { engines, missing }
}

/**
 * @param {Artefact} artefact
 * @param {Device} device
 * @param {boolean} small
 * @returns {Engine[]}
 */
function enginesOf(artefact, device, small) {
  const { backend, precision } = artefact
  const memoryLimit_bytes = small ? SMALL_MEMORY_BYTES : Infinity
  if (precision === 'fp16' && !device.webgpu.f16) return []
  const threads = backend !== 'wasm' || small || device.threads === 1 ? [1] : [device.threads, 1]
  /** @type {Engine['runtime'][]} */
  const runtimes = artefact.plan ? ['winograd', 'onnxruntime'] : ['onnxruntime']
  return runtimes.flatMap((runtime) =>
    threads.map((count) => ({ runtime, backend, artefact, threads: count, memoryLimit_bytes })),
  )
}

/**
 * @param {Backend} backend
 * @param {Device} device
 */
function lacks(backend, device) {
  if (backend === 'wasm') return device.simd ? '' : 'this browser is too old for it'
  return device[backend].missing
}

/** @param {Engine} engine */
export function titleOf({ runtime, backend, artefact, threads }) {
  if (backend === 'wasm') {
    const isSecond = artefact.plan && runtime === 'onnxruntime'
    const name = isSecond ? 'ONNX Runtime' : 'WebAssembly'
    return `${name} on ${threads === 1 ? 'one thread' : `${threads} threads`}`
  }
  return artefact.precision === 'fp16' ? `${TITLES[backend]} in half precision` : TITLES[backend]
}

/** @param {Engine} engine */
export function idOf({ runtime, backend, artefact, threads }) {
  return `${runtime} ${backend} ${artefact.precision} ${threads}`
}
