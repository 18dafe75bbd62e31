/** Gossamer's public API. Nothing that it is given leaves the device. */

import { findModel } from './assets.js'
import { inspect as inspectBlob } from './pipeline/inspect.js'
import { openPhoto as openInPipeline, runPipeline } from './pipeline/pipeline.js'
import { inferenceWorker, loadNetwork, pythonWorker, startedEarly } from './pipeline/workers.js'
import { GossamerError } from './rpc/errors.js'
import { watchRequests } from './rpc/requests.js'

export { ERROR_CODES, GossamerError, STAGES } from './rpc/errors.js'

/** @typedef {Blob | File | URL | string | ImageBitmap | ImageData} Source */
/** @typedef {import('./rpc/messages.js').Progress} Progress */
/** @typedef {import('./rpc/messages.js').Matte} Matte */
/** @typedef {import('./rpc/messages.js').RefineOptions} RefineOptions */
/** @typedef {import('./rpc/messages.js').OutputOptions} OutputOptions */
/** @typedef {import('./rpc/requests.js').NetworkRequest} NetworkRequest */
/** @typedef {import('./rpc/messages.js').Stroke} Stroke */
/** @typedef {import('./pipeline/inspect.js').Inspection} Inspection */
/** @typedef {import('./pipeline/open-photo.js').OpenPhoto} OpenPhoto */
/** @typedef {import('./pipeline/stage-clock.js').Timings} Timings */

/**
 * @typedef {{
 *   model?: string,
 *   backend?: 'auto' | 'wasm',
 *   refine?: RefineOptions,
 *   output?: OutputOptions,
 *   signal?: AbortSignal,
 *   onProgress?: (progress: Progress) => void,
 *   onPreview?: (preview: ImageBitmap) => void,
 * }} Options
 *
 * - `model`: 'auto' (default) or a network of this site.
 * - `onProgress`: `done` of `total` in each stage; bytes in the stage `model`.
 * - `output`: the file; unlike `matte` and the preview, it may show a part of the photo only.
 * - `onPreview`: gets the cut-out before it is a file; the receiver closes the bitmap.
 */

/**
 * @typedef {{
 *   blob: Blob,
 *   width: number,
 *   height: number,
 *   model: string,
 *   backend: 'wasm' | null,
 *   timings: Timings,
 * }} Result
 */

/**
 * Cuts the subject out.
 * @param {Source} source a picture, or the address of one
 * @param {Options} [options]
 * @returns {Promise<Result>} `blob` is a picture of `width` x `height`; unless `output` says
 *   otherwise, a PNG of the photo's size with straight alpha. Rejects with a GossamerError, or with
 *   `signal.reason`
 */
export async function removeBackground(source, options = {}) {
  const { matte, ...result } = await cut(source, options, 'cutout')
  return result
}

/**
 * Finds the subject without cutting it out.
 * @param {Source} source
 * @param {Options} [options]
 * @returns {Promise<Result & { matte: Matte }>} `blob` is a grey picture of alpha, cropped or not as
 *   `output` says, `matte` what the network returned
 */
export function segmentForeground(source, options = {}) {
  const refine = { decontaminate: false, ...options.refine } // nobody will see colours
  return cut(source, { ...options, refine }, 'alpha')
}

/**
 * Finds the subject and keeps the photo open, for edges that change and files that follow: see
 * `refine`, `preview`, `touchUp`, `encode` and `close` of what it resolves to.
 * @param {Source} source
 * @param {Pick<Options, 'model' | 'backend' | 'signal' | 'onProgress'> & { matte?: Matte }} [options]
 *   `matte`: one that was found before, of the same photo: no network runs
 * @returns {Promise<OpenPhoto>} takes the photo's size in memory until it is closed
 */
export async function openPhoto(source, options = {}) {
  const { matte, signal, onProgress = () => {} } = options
  const model = checked(options)
  return openInPipeline({ ...(await fetched(source, signal)), model, matte, signal, onProgress })
}

/**
 * Reads a picture's format, size and need of memory from its first bytes, without decoding it.
 * @param {Blob} file
 * @returns {Promise<Inspection>} rejects with the GossamerError that cutting it out would end in,
 *   when it is no picture that can be opened or too large for this device
 */
export function inspect(file) {
  return inspectBlob(file, nameOf(file))
}

/**
 * Starts everything that a picture will need.
 * @param {Pick<Options, 'model' | 'backend' | 'signal' | 'onProgress'>} [options]
 * @returns {Promise<{ model: string, backend: 'wasm', threads: number, stored: boolean }>} `stored` is
 *   false where the device does not keep the network: full, or storage is refused
 */
export async function preload(options = {}) {
  const { signal } = options
  const model = checked(options)
  const python = startedEarly(pythonWorker.call('start', null, 'refine', { signal }))
  const loaded = await loadNetwork(model, { signal, onProgress: options.onProgress })
  await inferenceWorker.call('warmUp', { model: model.name }, 'model', { signal })
  await python
  return { model: model.name, ...loaded }
}

/** @type {NetworkRequest[]} */
const requests = []
/** @type {Set<(requests: NetworkRequest[]) => void>} */
const listeners = new Set()

/** @param {NetworkRequest[]} found */
function recordRequests(found) {
  requests.push(...found)
  for (const listener of listeners) listener(found)
}

watchRequests(recordRequests)
inferenceWorker.onRequests = recordRequests
pythonWorker.onRequests = recordRequests

/**
 * Tells of every request that the page and its workers have made, those before this call included.
 * @param {(requests: NetworkRequest[]) => void} listener
 * @returns {() => void} ends it
 */
export function onRequests(listener) {
  if (requests.length > 0) listener([...requests])
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/**
 * @param {Source} source
 * @param {Options} options
 * @param {import('./rpc/messages.js').EncodedContent} content
 */
async function cut(source, options, content) {
  const { refine = {}, output = {}, signal, onProgress = () => {}, onPreview } = options
  const model = checked(options)
  const job = {
    ...(await fetched(source, signal)),
    model,
    refine,
    output,
    content,
    signal,
    onProgress,
    onPreview,
  }
  return { model: model.name, ...(await runPipeline(job)) }
}

/** @param {Options} options */
function checked({ model = 'auto', backend = 'auto' }) {
  if (backend !== 'auto' && backend !== 'wasm') {
    throw new GossamerError(
      'invalid_argument',
      'model',
      `Expected 'auto' or 'wasm' for backend, received '${backend}'.`,
    )
  }
  return findModel(model)
}

/**
 * @param {Source} source
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<{ source: Blob | ImageBitmap | ImageData, name: string }>} `name` is for messages
 */
async function fetched(source, signal) {
  const picture = await fetchSource(source, signal)
  return { source: picture, name: nameOf(picture) }
}

/** @param {unknown} picture */
function nameOf(picture) {
  return picture instanceof File ? `“${picture.name}”` : 'The picture'
}

/**
 * @param {Source} source
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<Blob | ImageBitmap | ImageData>}
 */
async function fetchSource(source, signal) {
  if (source instanceof Blob) return source
  if (source instanceof ImageBitmap || source instanceof ImageData) return source
  if (typeof source !== 'string' && !(source instanceof URL)) {
    throw new GossamerError(
      'invalid_argument',
      'decode',
      `Expected a Blob, File, URL, ImageBitmap or ImageData for source, received ${describe(source)}.`,
    )
  }
  try {
    const response = await fetch(source, { signal: signal ?? null })
    if (!response.ok) throw new Error(`the server answered ${response.status}`)
    return await response.blob()
  } catch (error) {
    signal?.throwIfAborted()
    throw new GossamerError(
      'invalid_argument',
      'decode',
      `Expected a picture at ${source}: ${error instanceof Error ? error.message : error}.`,
    )
  }
}

/** @param {unknown} value */
function describe(value) {
  if (value === null || value === undefined) return String(value)
  return value.constructor?.name ?? typeof value
}
