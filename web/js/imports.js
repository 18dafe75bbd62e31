/** Modules of ours that are fetched when they are needed, which a line may break off. */

import { GossamerError } from './rpc/errors.js'
import { inWords } from './values.js'

/** What to do where a part of this build does not come: after an update its host has it no more. */
export const REMEDY =
  'Check the connection and try again, or reload the page: the site may have been updated.'

/**
 * @template Module
 * @param {Promise<Module>} importing
 * @returns {Promise<Module>} rejects with `model_unavailable` where it does not come
 */
export async function arrived(importing) {
  try {
    return await importing
  } catch (error) {
    throw new GossamerError(
      'model_unavailable',
      'model',
      `A part of Gossamer could not be loaded: ${inWords(error)}. ${REMEDY}`,
    )
  }
}
