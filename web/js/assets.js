/** Where this build's files lie, whatever folder the site is served from. */

import { build } from './build.js'
import { GossamerError } from './rpc/errors.js'

/** @typedef {(typeof build.models)[number]} Model */

/**
 * @param {string} path relative to the site's root
 * @returns {string} an absolute URL
 */
export function assetUrl(path) {
  return new URL(`../${path}`, import.meta.url).href
}

/** Every network of this build, drafts too. */
export const NETWORKS = build.models.flatMap((model) =>
  model.draft ? [model, model.draft] : [model],
)

/**
 * @param {string} name 'auto', or a network's name in the catalogue
 * @returns {Model} throws `invalid_argument` when this site does not ship it
 */
export function findModel(name) {
  const wanted = name === 'auto' ? build.defaultModel : name
  const model = NETWORKS.find((candidate) => candidate.name === wanted)
  if (model) return model
  const known = build.models.map((candidate) => `'${candidate.name}'`).join(', ')
  throw new GossamerError(
    'invalid_argument',
    'model',
    `Expected 'auto' or one of ${known} for model, received '${name}'.`,
  )
}
