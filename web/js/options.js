/** What a caller wants, read before anything starts: a misspelt option is an error, not a surprise. */

import { arrived } from './imports.js'
import { BACKENDS, modelFor, specialistsFor } from './pipeline/engines.js'
import { GossamerError } from './rpc/errors.js'
import { inWords, kindOf, requireCall, unexpected } from './values.js'

/** @typedef {import('./gossamer.js').Options} Options */

const CHOICE = ['model', 'backend']
const CALL = ['signal', 'onProgress']
const MATTE = ['chromaKey', 'widerLook', 'secondLook']
const FILE = ['refine', 'background', 'output', 'onPreview']

/** The options of each function of the public API. */
export const KNOWN = {
  cut: [...CHOICE, ...MATTE, ...FILE, ...CALL],
  open: [...CHOICE, ...MATTE, 'matte', ...CALL],
  preload: [...CHOICE, 'widerLook', ...CALL],
}
/** Those within an option. What they may be is said by Python, whose they are. */
export const KNOWN_WITHIN = {
  refine: ['sharpen', 'min_region_px', 'detail', 'contract_px', 'feather_px', 'decontaminate'],
  output: [
    ...['type', 'quality', 'depth', 'crop', 'canvas', 'background', 'shadow', 'outline'],
    ...['metadata', 'embed', 'preset'],
  ],
}

/**
 * @template {Options} Given
 * @param {Given | null} given may have the names that `@imgly/background-removal` has for the same
 *   things
 * @param {readonly string[]} known
 * @returns {Promise<Given>} with our own names alone; rejects with `invalid_argument` for others
 */
export async function readOptions(given, known) {
  requireCall(given ?? {})
  const options = await inOurWords(given ?? /** @type {Given} */ ({}), known)
  requireKnown('options', options, known)
  for (const [name, names] of Object.entries(KNOWN_WITHIN)) {
    requireKnown(name, options[/** @type {keyof Options} */ (name)], names)
  }
  return options
}

/**
 * @template {Options} Given
 * @param {Given} given
 * @param {readonly string[]} known
 */
async function inOurWords(given, known) {
  if (isOurs(given, known)) return given
  const { translated } = await arrived(import('./migration.js')) // for those from there, and mistakes
  return /** @type {Given} */ (translated(given))
}

/**
 * @param {string} title of what is given
 * @param {unknown} given
 * @param {readonly string[]} known
 */
function requireKnown(title, given, known) {
  const unknown = Object.keys(given ?? {}).find((name) => !known.includes(name))
  if (unknown === undefined) return
  const likely = known.find((name) => distance(name, unknown) <= 2)
  throw new GossamerError(
    'invalid_argument',
    'model',
    `Expected ${known.join(', ')} for ${title}, received '${unknown}'.${likely ? ` Did you mean '${likely}'?` : ''}`,
  )
}

/**
 * @param {Options} given
 * @param {readonly string[]} known
 */
function isOurs(given, known) {
  const { format, type } = /** @type {Record<string, unknown>} */ (given.output ?? {})
  const isOurOutput = format === undefined && (type === undefined || inWords(type).includes('/'))
  return isOurOutput && Object.keys(given).every((name) => known.includes(name))
}

/**
 * @param {Pick<Options, 'model' | 'backend'>} options
 * @returns what runs; throws `invalid_argument`
 */
export function checked({ model = 'auto', backend = 'auto' }) {
  const names = [backend].flat()
  const known = [...BACKENDS, ...(names.length === 1 ? ['auto'] : [])]
  if (names.length === 0 || !names.every((name) => known.includes(name))) {
    throw new GossamerError(
      'invalid_argument',
      'model',
      `Expected 'auto', or ${BACKENDS.map((name) => `'${name}'`).join(', ')} or a list of them for backend, received '${names.map(inWords)}'.`,
    )
  }
  if (typeof model !== 'string') throw unexpected('the name of a network', 'model', model)
  const wanted = names[0] === 'auto' ? 'auto' : backend
  return { model: modelFor(model), specialists: specialistsFor(model), backend: wanted }
}

/**
 * @param {unknown} matte
 * @returns {import('./gossamer.js').Matte | undefined} throws `invalid_argument` for what is none
 */
export function checkedMatte(matte) {
  if (matte === undefined || matte === null) return undefined
  const given = /** @type {Partial<import('./gossamer.js').Matte>} */ (matte)
  const { data, height, width } = given
  const isWhole = kindOf(data) === 'Float32Array' && Number(height) > 0 && Number(width) > 0
  if (isWhole && data?.length === Number(height) * Number(width)) {
    return /** @type {import('./gossamer.js').Matte} */ (given)
  }
  throw unexpected(
    'the matte of a result, { data, height, width } with a Float32Array of height x width,',
    'matte',
    `${kindOf(data)} of ${inWords(data?.length)} for ${inWords(height)} x ${inWords(width)}`,
  )
}

/**
 * How many letters are to be added, left out or exchanged to make one word of the other (Levenshtein).
 * @param {string} one
 * @param {string} other
 */
function distance(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1]
    for (const [j, against] of [...other].entries()) {
      const exchanged = Number(row[j]) + Number(letter !== against)
      next.push(Math.min(exchanged, Number(row[j + 1]) + 1, Number(next[j]) + 1))
    }
    row = next
  }
  return Number(row[other.length])
}
