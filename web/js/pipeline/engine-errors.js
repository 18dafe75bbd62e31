/** What engines say where they cannot be had. */

import { unloadable } from '../rpc/errors.js'

/** @param {unknown} reason */
export function unreachable(reason) {
  const words = `The engine that runs the network could not be loaded: ${firstLine(reason)}. Check the connection and try again.`
  return unloadable(words, 'model', 'model_unavailable')
}

/** @param {unknown} error the further lines are about file formats that this is not */
export function firstLine(error) {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]
}
