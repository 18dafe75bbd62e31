/**
 * What was found out about each engine on this device. Proofs are kept across visits for as long as
 * device, browser and file are the same; what may have been bad luck counts for this page only.
 */

import { assetUrl } from '../assets.js'
import { build } from '../build.js'

/** @typedef {import('../rpc/messages.js').Device} Device */
/** @typedef {import('../rpc/messages.js').Engine} Engine */

/**
 * `reason` is empty for an engine that has passed; `run_ms` is its first run, compiling
 * included, as long as one of a whole picture would have been.
 * @typedef {{ reason: string, run_ms: number }} Verdict
 */

/** Storage belongs to an origin, and several sites may share one. */
function storageKey() {
  return `gossamer-engines ${new URL(assetUrl('')).pathname}`
}

/** @type {Map<string, Verdict>} */
const ofThisPage = new Map()
let device = ''

/**
 * Verdicts of another device, as after a new graphics card or a browser update, are forgotten.
 * @param {Device} found
 */
export async function openVerdicts({ webgpu, webgl, simd, threads }) {
  const gpus = [webgpu, webgl].map(({ name, f16, missing }) => [name, f16, missing])
  device = JSON.stringify([await browserVersion(), gpus, simd, threads])
}

/**
 * @param {Engine} engine
 * @returns {Verdict | null} null where it was never tried
 */
export function verdictOn(engine) {
  return ofThisPage.get(keyOf(engine)) ?? read()[keyOf(engine)] ?? null
}

/**
 * @param {Engine} engine
 * @param {Verdict} verdict
 * @param {{ lasting: boolean }} options
 */
export function remember(engine, verdict, { lasting }) {
  ofThisPage.set(keyOf(engine), verdict) // where storage is refused, that is all
  if (lasting) write({ ...read(), [keyOf(engine)]: verdict })
}

/** Everything has to be proven anew. */
export function forgetVerdicts() {
  ofThisPage.clear()
  try {
    localStorage.removeItem(storageKey())
  } catch {
    // storage is refused, so nothing is there
  }
}

/** @param {Engine} engine */
function keyOf({ runtime, backend, artefact, threads }) {
  const { single, threads: several } = build.winograd
  const [kernel, count] = threads === 1 ? [single, '1'] : [several, 'n']
  // Paths hold hashes: another build of our own engine has to be proven anew.
  const name = runtime === 'winograd' ? `${kernel} ${artefact.plan?.path}` : `${runtime} ${backend}`
  return `${name} ${artefact.sha256} ${count}`
}

/** @returns {Record<string, Verdict>} */
function read() {
  try {
    const stored = JSON.parse(localStorage.getItem(storageKey()) ?? '{}')
    return stored.device === device ? stored.verdicts : {}
  } catch {
    return {} // refused, or not what was written
  }
}

/** @param {Record<string, Verdict>} verdicts */
function write(verdicts) {
  try {
    localStorage.setItem(storageKey(), JSON.stringify({ device, verdicts }))
  } catch {
    // refused or full: the next visit proves again
  }
}

/** Whole where the browser tells it; the user agent of some holds the first number only. */
async function browserVersion() {
  const { userAgentData, userAgent } = /** @type {any} */ (navigator)
  const found = await userAgentData?.getHighEntropyValues(['fullVersionList']).catch(() => null)
  return found ? JSON.stringify(found.fullVersionList) : userAgent
}
