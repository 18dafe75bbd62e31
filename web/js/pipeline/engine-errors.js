/** What engines say where they cannot be had. */

import { REMEDY } from '../imports.js'
import { unloadable } from '../rpc/errors.js'

/**
 * @param {unknown} reason
 * @param {import('../rpc/errors.js').Stage} [stage]
 */
export function unreachable(reason, stage = 'model') {
  const words = `The engine that runs the network could not be loaded: ${firstLine(reason)}. ${REMEDY}`
  return unloadable(words, stage, 'model_unavailable')
}

/** @param {unknown} error the further lines are about file formats that this is not */
export function firstLine(error) {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]
}
