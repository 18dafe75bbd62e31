/** Gossamer's public API. Nothing that it is given leaves the device. */

import { setRoot } from './assets.js'
import { build } from './build.js'
import { arrived } from './imports.js'
import { checked, checkedMatte, KNOWN, readOptions } from './options.js'
import { EngineChoice, reportEngines } from './pipeline/backends.js'
import { specialistsFor } from './pipeline/engines.js'
import { isKept } from './pipeline/load-network.js'
import { isOpening, openPhoto as openInPipeline, runPipeline } from './pipeline/pipeline.js'
import { prepareWider } from './pipeline/wider-look.js'
import { endWorkers, startPython, thumbnailWorker, unlessAborted } from './pipeline/workers.js'
import { fetched, nameOf } from './source.js'
import { requireCall, withoutUndefined } from './values.js'

export { resetEngines } from './pipeline/backends.js'
export { onRequests } from './request-log.js'
export { ERROR_CODES, GossamerError, STAGES } from './rpc/errors.js'

/** @typedef {import('./source.js').Source} Source */
/** @typedef {import('./rpc/messages.js').Progress} Progress */
/** @typedef {import('./rpc/messages.js').Matte} Matte */
/** @typedef {import('./rpc/messages.js').RefineOptions} RefineOptions */
/** @typedef {import('./rpc/messages.js').Background} Background */
/** @typedef {import('./rpc/messages.js').OutputOptions} OutputOptions */
/** @typedef {import('./rpc/messages.js').Stroke} Stroke */
/** @typedef {import('./rpc/messages.js').Subject} Subject */
/** @typedef {import('./rpc/requests.js').NetworkRequest} NetworkRequest */
/** @typedef {import('./migration.js').AnyOptions} AnyOptions */
/** @typedef {import('./migration.js').TheirOptions} TheirOptions */
/** @typedef {import('./pipeline/backends.js').EngineReport} EngineReport */
/** @typedef {import('./pipeline/engines.js').Wanted} Wanted */
/** @typedef {import('./pipeline/inspect.js').Inspection} Inspection */
/** @typedef {import('./pipeline/open-photo.js').OpenPhoto} OpenPhoto */
/** @typedef {import('./pipeline/stage-clock.js').Timings} Timings */

/**
 * @typedef {{
 *   model?: string,
 *   backend?: Wanted,
 *   chromaKey?: string,
 *   widerLook?: boolean,
 *   secondLook?: boolean,
 *   refine?: RefineOptions,
 *   background?: Background,
 *   output?: OutputOptions,
 *   signal?: AbortSignal,
 *   onProgress?: (progress: Progress) => void,
 *   onPreview?: (preview: ImageBitmap) => void,
 * }} Options
 *
 * - `model`: 'auto' (default), which is the first network of this site until an open photo asks
 *   others too (`askSpecialists`), or one by its name.
 * - `backend`: 'auto' (default) takes the first of WebGPU, WebGL and WASM that computes right on
 *   this device, and the next one when it fails; a name takes that one or none; a list is an order of
 *   one's own, software GPUs included.
 * - `chromaKey`: instead of a network, for a plain backdrop: 'auto', where the backdrop surrounds
 *   the subject, or its colour, '#rrggbb', which then goes wherever it shows.
 * - `widerLook`: whether the network runs once more, on the photo in fewer pixels, for parts of a large
 *   subject that it has lost; on by default, where this site has a plan for it.
 * - `secondLook`: whether the network runs once more, on the subject's box, for finer edges where
 *   the subject is small; off by default.
 * - `onProgress`: `done` of `total` in each stage; bytes in the stage `model`.
 * - `background`: what is behind the subject; the same as in `output`, and wins over it.
 * - `output`: the file; unlike `matte` and the preview, it may show a part of the photo only.
 * - `onPreview`: gets the cut-out before it is a file; the receiver closes the bitmap.
 *
 * Names of `@imgly/background-removal` are taken where they mean the same (migration.js); any other
 * name is an `invalid_argument`.
 */

/**
 * @typedef {{
 *   blob: Blob,
 *   width: number,
 *   height: number,
 *   model: string,
 *   runtime: import('./rpc/messages.js').Engine['runtime'] | 'pyodide',
 *   backend: import('./build.js').Backend,
 *   precision: import('./build.js').Precision,
 *   threads: number,
 *   confidence: number | null,
 *   notices: string[],
 *   timings: Timings,
 * }} Result
 *
 * `confidence`, in [0, 1], is how sure the network is of the subject, null where none ran: below 0.9
 * somebody should look.
 * `runtime` ('winograd' is our own engine, 'pyodide' what runs where no network does), `backend`,
 * `precision` and `threads` are those that ran; `notices` tells a person, a line each, what did not.
 */

/** The networks of this site, its first choice first. */
export const MODELS = build.models.map(({ name, title }) => ({ name, title }))

/**
 * Says where this package's folder is served, for pages whose bundler has moved its modules away from
 * it. Once, before anything else; `import` of the served file needs none of it.
 * @param {{ publicPath: string | URL }} where relative to the page, on its own origin
 */
export function configure({ publicPath }) {
  setRoot(publicPath)
}

/** What runs when no network does: Python. */
const KEYED = /** @type {const} */ ({
  model: 'chroma-key',
  runtime: 'pyodide',
  backend: 'wasm',
  precision: 'fp32',
  threads: 1,
})

/**
 * Cuts the subject out.
 * @param {Source} source a picture, or the address of one
 * @param {AnyOptions} [options]
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
 * @param {AnyOptions} [options]
 * @returns {Promise<Result & { matte: Matte }>} `blob` is a grey picture of alpha, cropped or not as
 *   `output` says, `matte` what the network has found
 */
export async function segmentForeground(source, options = {}) {
  // Nobody will see colours.
  const refine = { decontaminate: false, ...withoutUndefined(options?.refine) }
  return cut(source, { ...options, refine }, 'alpha')
}

/**
 * Finds the subject and keeps the photo open, for edges that change and files that follow: see
 * `askSpecialists`, `refine`, `preview`, `previewFile`, `subjects`, `touchUp`, `encode` and `close` of
 * what it resolves to.
 * @param {Source} source
 * @param {Omit<AnyOptions, 'refine' | 'background' | 'output' | 'onPreview'> & {
 *   matte?: Matte,
 * }} [options]
 *   - `matte`: one that was found before, of the same photo: no network runs.
 * @returns {Promise<OpenPhoto>} takes the photo's size in memory until it is closed
 */
export async function openPhoto(source, options = {}) {
  const wanted = await readOptions(options, KNOWN.open)
  const { chromaKey, widerLook = true, secondLook = false } = wanted
  const { signal } = wanted
  const { onNotice } = noticeList()
  const matte = checkedMatte(wanted.matte)
  const picture = await fetched(source, signal)
  return reporting(wanted.onProgress, (onProgress) =>
    openInPipeline({
      ...picture,
      ...checked(wanted),
      matte,
      chromaKey,
      widerLook,
      secondLook,
      signal,
      onProgress,
      onNotice,
    }),
  )
}

/**
 * Reads a picture's format, size and need of memory from its first bytes, without decoding it.
 * @param {Blob} file
 * @returns {Promise<Inspection>} rejects with the GossamerError that cutting it out would end in,
 *   when it is no picture that can be opened or too large for this device
 */
export async function inspect(file) {
  const inspection = await arrived(import('./pipeline/inspect.js'))
  return inspection.inspect(file, nameOf(file))
}

/**
 * Starts everything that a picture will need.
 * @param {Pick<Options, 'model' | 'backend' | 'widerLook' | 'signal' | 'onProgress'> & TheirOptions}
 *   [options]
 * @returns {Promise<Omit<Result, 'blob' | 'width' | 'height' | 'confidence' | 'timings'> &
 *   { stored: boolean }>} `stored` is false where the device does not keep the network: full, or storage
 *   is refused
 */
export async function preload(options = {}) {
  const wanted = await readOptions(options, KNOWN.preload)
  const { widerLook = true, signal, onProgress } = wanted
  const { model, backend } = checked(wanted)
  const { notices, onNotice } = noticeList()
  const python = startPython(signal)
  const choice = new EngineChoice({ model, backend, signal, onProgress, onNotice })
  let engine = await choice.ready()
  // A photo that waits warms the engine up itself.
  if (!isOpening()) engine = await choice.ready({ warm: true })
  const preparing = prepareWider({ model, backend, widerLook }, engine).catch(() => {}) // optional
  await unlessAborted(preparing, signal)
  await python
  const stored = await isKept(model, engine.artefact)
  return { model: model.name, ...describeEngine(engine), notices, stored }
}

/**
 * Brings to this device the networks that `askSpecialists` asks, and starts them. One that is here is
 * not fetched again.
 * @param {Pick<Options, 'signal'>} [options]
 */
export async function preloadSpecialists(options = {}) {
  requireCall(options ?? {})
  const { signal } = options ?? {}
  const { prepareSpecialist } = await arrived(import('./pipeline/second-opinion.js'))
  for (const model of specialistsFor('auto')) await prepareSpecialist(model, signal)
}

/**
 * Ends the workers and gives back their memory, which stays that of the largest photo so far. For when
 * nothing is at work and no photo is open: a call that runs may fail, and an open photo is lost. The next
 * call starts the workers anew, from what the browser has kept.
 */
export function release() {
  endWorkers()
}

/** @type {Set<(notice: string) => void>} */
const noticeListeners = new Set()

/**
 * Tells a person, in a line, when an engine has failed and another one took over.
 * @param {(notice: string) => void} listener
 * @returns {() => void} ends it
 */
export function onNotice(listener) {
  noticeListeners.add(listener)
  return () => noticeListeners.delete(listener)
}

function noticeList() {
  /** @type {string[]} */
  const notices = []
  const add = (/** @type {string} */ notice) => {
    notices.push(notice)
    for (const listener of noticeListeners) listener(notice)
  }
  return { notices, onNotice: add }
}

/**
 * What is known about each way to run a network on this device, best first. `resetEngines` forgets
 * it, and everything is proven anew when it is needed.
 * @param {Pick<Options, 'model'>} [options]
 * @returns {Promise<{ missing: string[], engines: EngineReport[] }>}
 */
export async function inspectEngines(options = {}) {
  return reportEngines(checked({ model: options?.model ?? 'auto' }).model)
}

/**
 * A download that a call has begun goes on for others when it fails, but nobody hears of it.
 * @template T
 * @param {Options['onProgress']} onProgress
 * @param {(onProgress: (progress: Progress) => void) => Promise<T>} run
 * @returns {Promise<T>}
 */
async function reporting(onProgress, run) {
  let isOver = false
  try {
    return await run((progress) => {
      if (!isOver) onProgress?.(progress)
    })
  } catch (error) {
    isOver = true
    throw error
  }
}

/** @param {import('./rpc/messages.js').Engine} engine */
function describeEngine({ runtime, backend, artefact, threads }) {
  return { runtime, backend, precision: artefact.precision, threads }
}

/**
 * A small picture of a photo as it is, made beside everything else that goes on.
 * @param {Blob} source
 * @param {number} height_px at most: no picture is enlarged
 * @returns {Promise<ImageBitmap>} for the caller to close. Rejects when the browser cannot read it
 */
export async function thumbnail(source, height_px) {
  const { height, width } = await inspect(source) // before anything decodes it
  // A ribbon that is made higher becomes longer, too: of 32767 x 8 px, half a gigabyte.
  const request = { source, height_px: Math.min(height_px, height, width) }
  const { bitmap } = await thumbnailWorker.call('thumbnail', request, 'decode')
  return bitmap
}

/**
 * Decodes a picture and keeps nothing of it, before anything depends on it.
 * @param {Blob} source
 * @returns {Promise<void>} rejects with the GossamerError of a picture that is cut off or damaged, too
 */
export async function requireWhole(source) {
  await inspect(source)
  const request = { source, name: nameOf(source) }
  await thumbnailWorker.call('requireWhole', request, 'decode') // which no photo at work holds up
}

/**
 * @param {Source} source
 * @param {AnyOptions} given
 * @param {import('./rpc/messages.js').EncodedContent} content
 */
async function cut(source, given, content) {
  const options = await readOptions(/** @type {Options} */ (given), KNOWN.cut)
  const { chromaKey, widerLook = true, secondLook = false, background, onPreview } = options
  const { signal } = options
  const output = { ...options.output, ...(background !== undefined && { background }) }
  const wanted = checked(options)
  const { notices, onNotice } = noticeList()
  const picture = await fetched(source, signal)
  const { engine, ...outcome } = await reporting(options.onProgress, (onProgress) =>
    runPipeline({
      ...picture,
      ...wanted,
      chromaKey,
      widerLook,
      secondLook,
      refine: { ...options.refine },
      output,
      content,
      signal,
      onProgress,
      onNotice,
      onPreview,
    }),
  )
  const ran = engine ? { model: wanted.model.name, ...describeEngine(engine) } : KEYED
  return { ...ran, notices, ...outcome }
}
