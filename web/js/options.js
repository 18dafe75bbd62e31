/** What a caller wants, read before anything starts: a misspelt option is an error, not a surprise. */

import { BACKENDS, modelFor, specialistsFor } from './pipeline/engines.js'
import { GossamerError } from './rpc/errors.js'

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
  const { translated } = await import('./migration.js') // for those that come from there, and mistakes
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
  const isOurOutput = format === undefined && (type === undefined || String(type).includes('/'))
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
      `Expected 'auto', or ${BACKENDS.map((name) => `'${name}'`).join(', ')} or a list of them for backend, received '${backend}'.`,
    )
  }
  const wanted = names[0] === 'auto' ? 'auto' : backend
  return { model: modelFor(model), specialists: specialistsFor(model), backend: wanted }
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
