/**
 * The choices of the panels: where they start, and what of remembered ones this build knows. An older
 * or a newer build may have written them, and what is not known would be refused with every photo.
 */

import { recall } from './settings.js'

/** What `refine` does when nothing is asked of it: `pyside_logic/refine_options.py`. */
export const REFINE_DEFAULTS = {
  feather_px: 0,
  contract_px: 0,
  sharpen: 1,
  min_region_px: 0,
  decontaminate: true,
  detail: 'guided',
}

/** What is seen in the panel of the presets: `pyside_logic/presets.py` has all of them. */
export const PRESETS = {
  product: { background: '#ffffff', shadow: null },
  'id-photo': { background: '#e6eaee', shadow: null },
  avatar: { background: 'transparent', shadow: null },
  sticker: { background: 'transparent', shadow: { kind: 'drop', opacity: 0.3 } },
}

/** What stands for a picture in what the device remembers: of a photo, nothing is kept. */
export const PICTURE = 'picture'

export const BRUSH = { size: 40, hardness: 0.6 }

/** @typedef {(value: unknown) => boolean} Check */

const isSwitch = oneOf(true, false)
/** @type {Check} */
const isColour = (value) => typeof value === 'string' && /^#[\da-f]{6}$/i.test(value)
/** @type {Check} */
const areColours = (value) => Array.isArray(value) && value.length > 1 && value.every(isColour)

/** What the panels offer, and nothing else. @type {Record<string, Record<string, Check>>} */
const KNOWN = {
  refine: {
    feather_px: within(0, 64),
    contract_px: whole(-64, 64),
    sharpen: within(0, 4),
    min_region_px: within(0, 1e9),
    decontaminate: isSwitch,
    detail: oneOf('none', 'guided', 'closed_form'),
  },
  output: {
    type: oneOf('image/png', 'image/webp', 'image/svg+xml'),
    quality: within(0, 1),
    crop: made({ margin_px: whole(0, 100_000) }),
    background: any(
      isColour,
      oneOf('transparent', 'blur', PICTURE),
      made({ gradient: areColours }),
    ),
    shadow: any(oneOf(false), made({ kind: oneOf('drop', 'contact'), opacity: within(0, 1) })),
    preset: oneOf(...Object.keys(PRESETS)),
    embed: isSwitch,
  },
  brush: { size: within(4, 200), hardness: within(0, 1) },
}

/**
 * @param {'refine' | 'output' | 'brush'} name
 * @returns {any} of what is remembered, what this build knows
 */
export function recallKnown(name) {
  return knownOf(name, recall(name, {}))
}

/**
 * @param {string} name
 * @param {object} stored
 */
export function knownOf(name, stored) {
  const checks = KNOWN[name] ?? {}
  return Object.fromEntries(Object.entries(stored).filter((entry) => passes(checks, entry)))
}

/**
 * @param {Record<string, Check>} checks
 * @param {[name: string, value: unknown]} entry
 */
function passes(checks, [name, value]) {
  return Object.hasOwn(checks, name) && Boolean(checks[name]?.(value))
}

/** @param {unknown[]} values @returns {Check} */
function oneOf(...values) {
  return (value) => values.includes(value)
}

/** @param {Check[]} checks @returns {Check} */
function any(...checks) {
  return (value) => checks.some((check) => check(value))
}

/** @param {number} least @param {number} most @returns {Check} */
function within(least, most) {
  return (value) => typeof value === 'number' && value >= least && value <= most
}

/** @param {number} least @param {number} most @returns {Check} */
function whole(least, most) {
  return (value) => Number.isInteger(value) && within(least, most)(value)
}

/** @param {Record<string, Check>} checks @returns {Check} for an object of these names, and no others */
function made(checks) {
  return (value) => {
    if (typeof value !== 'object' || value === null) return false
    const entries = Object.entries(value)
    const isWhole = entries.length === Object.keys(checks).length
    return isWhole && entries.every((entry) => passes(checks, entry))
  }
}
