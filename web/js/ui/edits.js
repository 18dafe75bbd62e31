/** What a person has asked of a photo: edges, strokes and the file. */

import { PICTURE, recallKnown } from './choices.js'
import { History } from './history.js'
import { remember } from './settings.js'

/** @typedef {import('../gossamer.js').RefineOptions} RefineOptions */
/** @typedef {import('../gossamer.js').OutputOptions} OutputOptions */
/** @typedef {import('../gossamer.js').Stroke} Stroke */

/**
 * `edgesVersion` counts changes of `refine` and `strokes`, `version` those of anything: what was
 * made from an older one is made again.
 * @typedef {{
 *   refine: RefineOptions,
 *   output: OutputOptions,
 *   strokes: Stroke[],
 *   history: History,
 *   edgesVersion: number,
 *   version: number,
 * }} Edits
 */

/** The picture that PICTURE stands for, as long as this page lives. @type {OutputOptions['background']} */
let lastPicture

/** @returns {Edits} as the person left them at the last photo, without strokes */
export function newEdits() {
  return {
    refine: recallKnown('refine'),
    output: recallOutput(),
    strokes: [],
    history: new History(),
    edgesVersion: 0,
    version: 0,
  }
}

/**
 * @param {Edits} edits
 * @param {RefineOptions} options replace those of the same names; undefined takes one away
 */
export function setRefine(edits, options) {
  edits.history.add(edits, nameOf(options))
  edits.refine = merged(edits.refine, options)
  edits.edgesVersion++
  edits.version++
  remember('refine', edits.refine)
}

/**
 * @param {Edits} edits
 * @param {Partial<OutputOptions>} options replace those of the same names
 */
export function setOutput(edits, options) {
  edits.history.add(edits, nameOf(options))
  edits.output = changedOutput(edits.output, options)
  edits.version++
  rememberOutput(edits.output)
}

/** @param {object} options @returns {string} of what they change */
function nameOf(options) {
  return Object.keys(options).join()
}

/** @param {OutputOptions} output */
function rememberOutput(output) {
  if (isFile(output.background)) lastPicture = output.background
  remember('output', isFile(output.background) ? { ...output, background: PICTURE } : output)
}

/** @returns {OutputOptions} */
function recallOutput() {
  const { background, ...others } = recallKnown('output')
  const known = background === PICTURE ? lastPicture : background
  const output = known ? { ...others, background: known } : others
  return consistent(output, output)
}

/**
 * Gives all photos the edges, the background and the file of one, and those that come the same.
 * @param {Edits} chosen
 * @param {Edits[]} all
 * @returns {() => void} takes it back, but for what was changed since
 */
export function useForAll(chosen, all) {
  const { refine, output } = chosen
  const former = newEdits()
  startNextWith(chosen)
  const takeBack = all
    .filter((edits) => edits !== chosen)
    .map((edits) => {
      const own = { refine: edits.refine, output: edits.output }
      const given = { refine: { ...refine }, output: { ...output } }
      replaceChoices(edits, given)
      return () => {
        const isUntouched = edits.refine === given.refine && edits.output === given.output
        if (isUntouched) replaceChoices(edits, own)
      }
    })
  return () => {
    startNextWith(former)
    for (const run of takeBack) run()
  }
}

/** @param {Pick<Edits, 'refine' | 'output'>} choices */
function startNextWith({ refine, output }) {
  remember('refine', refine)
  rememberOutput(output)
}

/**
 * @param {Edits} edits
 * @param {Pick<Edits, 'refine' | 'output'>} choices
 */
function replaceChoices(edits, { refine, output }) {
  edits.history.add(edits)
  edits.refine = refine
  edits.output = output
  edits.edgesVersion++
  edits.version++
}

/**
 * What a preset, or an SVG, has taken the place of in an output: whoever only looks at one has it
 * again with the next choice.
 * @type {WeakMap<OutputOptions, { byPreset?: OutputOptions, bySvg?: OutputOptions }>}
 */
const setAside = new WeakMap()

/**
 * @param {OutputOptions} output
 * @param {Partial<OutputOptions>} options replace those of the same names
 * @returns {OutputOptions}
 */
function changedOutput(output, options) {
  let { byPreset, bySvg } = setAside.get(output) ?? {}
  let wanted = merged(output, options)
  if (options.preset && !output.preset) {
    const { background, shadow, crop } = output
    byPreset = { background, shadow, crop }
  } else if ('preset' in options && !options.preset) {
    wanted = merged(wanted, byPreset ?? {})
    byPreset = undefined
  }
  if (isSvg(output)) {
    bySvg = without(bySvg ?? {}, options) // what is chosen since counts
    if (!isSvg(wanted) && 'type' in options) wanted = { ...bySvg, ...wanted }
  }
  const changed = consistent(wanted, options)
  if (isSvg(changed) && !isSvg(output)) bySvg = without(wanted, changed)
  setAside.set(changed, { byPreset, bySvg })
  return changed
}

/** @param {OutputOptions} output */
function isSvg({ type }) {
  return type === 'image/svg+xml'
}

/**
 * @param {OutputOptions} output
 * @param {OutputOptions} others
 * @returns {OutputOptions} of `output`, what `others` does not name
 */
function without(output, others) {
  return Object.fromEntries(Object.entries(output).filter(([name]) => !(name in others)))
}

/**
 * An SVG holds a subject and a colour; of two choices that exclude each other the later one counts.
 * @param {OutputOptions} output
 * @param {Partial<OutputOptions>} changed
 * @returns {OutputOptions}
 */
function consistent(output, changed) {
  if (output.type !== 'image/svg+xml') return output
  const { shadow, outline, canvas, preset, background, ...drawn } = output
  const isDrawn = !shadow && !outline && !canvas && !preset && isColour(background)
  if (isDrawn) return output
  if (changed.type) return isColour(background) ? { ...drawn, background } : drawn
  const { type: _type, embed: _embed, ...written } = output
  return written
}

/** @param {OutputOptions['background']} background */
function isColour(background) {
  return !background || (typeof background === 'string' && background !== 'blur')
}

/** @param {OutputOptions['background']} background */
export function isFile(background) {
  return background instanceof Blob
}

/**
 * @param {Edits} edits
 * @param {Stroke} stroke
 */
export function addStroke(edits, stroke) {
  edits.history.add(edits)
  edits.strokes = [...edits.strokes, stroke]
  edits.edgesVersion++
  edits.version++
}

/** @param {Edits} edits */
export function undo(edits) {
  goTo(edits, edits.history.undo(edits))
}

/** @param {Edits} edits */
export function redo(edits) {
  goTo(edits, edits.history.redo(edits))
}

/**
 * @param {Edits} edits
 * @param {import('./history.js').Asked} [asked] nothing where there is no way
 */
function goTo(edits, asked) {
  if (!asked) return
  const { refine, output, strokes } = edits
  Object.assign(edits, asked)
  if (edits.refine !== refine) remember('refine', edits.refine)
  if (edits.output !== output) rememberOutput(edits.output)
  if (edits.refine !== refine || edits.strokes !== strokes) edits.edgesVersion++
  edits.version++
}

/**
 * @param {OutputOptions} output
 * @returns {boolean} whether the file is the cut-out itself, transparent and of the photo's size
 */
export function isWholeCutout({ type = 'image/png', quality: _, ...others }) {
  return type !== 'image/svg+xml' && Object.keys(others).length === 0
}

/**
 * @param {OutputOptions} output
 * @returns {boolean} whether the file is more than the cut-out on one colour: a picture to be shown
 */
export function isComposed({ background, crop, canvas, shadow, outline, preset }) {
  return !isColour(background) || Boolean(crop || canvas || shadow || outline || preset)
}

/**
 * @template {object} Options
 * @param {Options} options
 * @param {Partial<Options>} changed
 * @returns {Options} without what is undefined, which is how a default is asked for
 */
function merged(options, changed) {
  const all = Object.entries({ ...options, ...changed })
  return /** @type {Options} */ (Object.fromEntries(all.filter(([, value]) => value !== undefined)))
}

/** @param {Edits} edits @returns {string | null} the colour behind the subject, where it is one */
export function colourOf({ output: { background } }) {
  if (background === 'transparent' || !isColour(background)) return null
  return /** @type {string | undefined} */ (background) ?? null
}
