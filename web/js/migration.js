/**
 * The options of `@imgly/background-removal` (1.4 to 1.7), in our words where they mean the same. What
 * means nothing here is an error that names what to do instead. See docs/migration.md.
 */

import { setRoot } from './assets.js'
import { GossamerError } from './rpc/errors.js'
import { inWords } from './values.js'

/** @typedef {import('./gossamer.js').Options} Options */
/** @typedef {import('./gossamer.js').OutputOptions} OutputOptions */

/**
 * @typedef {{
 *   publicPath?: string | URL,
 *   device?: 'cpu' | 'gpu',
 *   progress?: (key: string, current: number, total: number) => void,
 *   debug?: false,
 *   rescale?: true,
 *   proxyToWorker?: true,
 *   fetchArgs?: Record<string, never>,
 *   output?: { format?: 'image/png' | 'image/webp', quality?: number },
 * }} TheirOptions
 */

/**
 * Ours and theirs, as they are given.
 * @typedef {Omit<Options, 'output'> & Omit<TheirOptions, 'output'> & {
 *   output?: Omit<OutputOptions, 'type'> & {
 *     type?: OutputOptions['type'] | 'foreground',
 *     format?: 'image/png' | 'image/webp',
 *   },
 * }} AnyOptions
 */

/** What is written instead of a format that no cut-out of ours has. */
const INSTEAD_OF_FORMATS = /** @type {const} */ ({
  'image/jpeg': "'image/png' or 'image/webp': a JPEG has no transparency",
  'image/x-rgba8': "'image/png', and createImageBitmap(blob) for its pixels",
  'image/x-alpha8': "segmentForeground, whose blob is alpha and whose matte is the network's",
})
/** What is called instead of asking `removeBackground` for another picture. */
const INSTEAD_OF_TYPES = /** @type {const} */ ({
  mask: 'segmentForeground',
  background: "openPhoto, and a canvas that draws its cut-out with 'destination-out'",
})

/** Each option of theirs: what it is here, as our options. @type {Record<string, (value: any) => Options>} */
const THEIRS = {
  publicPath(value) {
    setRoot(value)
    return {}
  },
  device(value) {
    if (value === 'cpu') return { backend: 'wasm' }
    if (value === 'gpu') return { backend: ['webgpu', 'webgl', 'wasm'] }
    throw meaningless('device', value, "'cpu' or 'gpu', or backend")
  },
  progress(value) {
    if (value === null) return {}
    return {
      onProgress: ({ stage, done, total }) =>
        value(stage === 'model' ? 'fetch:model' : `compute:${stage}`, done, total),
    }
  },
  debug: onlyAs('debug', [false], 'notices and timings of the result, or inspectEngines()'),
  rescale: onlyAs('rescale', [true], "the network's own matte: segmentForeground(...).matte"),
  proxyToWorker: onlyAs('proxyToWorker', [true], 'nothing: everything runs in workers'),
  fetchArgs(value) {
    if (Object.keys(value ?? {}).length === 0) return {}
    throw meaningless(
      'fetchArgs',
      JSON.stringify(value),
      'nothing: files come from your own origin',
    )
  },
}

/**
 * @param {Options & Record<string, any>} given
 * @returns {Options} what they mean here; names that nobody knows stay. Throws `invalid_argument` for
 *   what has no meaning here
 */
export function translated(given) {
  /** @type {Options & Record<string, unknown>} */
  const options = {}
  for (const [name, value] of Object.entries(given)) {
    const translate = Object.hasOwn(THEIRS, name) ? THEIRS[name] : undefined
    Object.assign(options, translate ? value !== undefined && translate(value) : { [name]: value })
  }
  return options.output ? { ...options, output: translatedOutput(options.output) } : options
}

/** @param {Record<string, any>} output with `format` and `type` in their sense */
function translatedOutput({ format, type, ...rest }) {
  if (type !== undefined && type !== 'foreground' && !inWords(type).includes('/')) {
    const instead = INSTEAD_OF_TYPES[/** @type {keyof typeof INSTEAD_OF_TYPES} */ (type)]
    throw meaningless('output.type', type, instead ?? "a format such as 'image/png'")
  }
  const wanted = format ?? (type === 'foreground' ? undefined : type)
  const instead = INSTEAD_OF_FORMATS[/** @type {keyof typeof INSTEAD_OF_FORMATS} */ (wanted)]
  if (instead) throw meaningless('output.format', wanted, instead)
  return wanted === undefined ? rest : { ...rest, type: wanted }
}

/**
 * @param {string} name
 * @param {unknown[]} meanings values that say what is so here anyway
 * @param {string} instead
 */
function onlyAs(name, meanings, instead) {
  return (/** @type {unknown} */ value) => {
    if (meanings.includes(value)) return {}
    throw meaningless(name, value, instead)
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {string} instead
 */
function meaningless(name, value, instead) {
  return new GossamerError(
    'invalid_argument',
    'model',
    `'${inWords(value)}' for ${name} has no meaning here. Expected ${instead}.`,
  )
}
