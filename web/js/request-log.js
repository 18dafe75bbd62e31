/** What the page and its workers have asked the network for; watched once somebody wants to know. */

import { inferenceWorker, pythonWorker, thumbnailWorker } from './pipeline/workers.js'
import { watchRequests } from './rpc/requests.js'

/** @typedef {import('./rpc/requests.js').NetworkRequest} NetworkRequest */

/** @type {NetworkRequest[]} */
const requests = []
/** @type {Set<(requests: NetworkRequest[]) => void>} */
const listeners = new Set()
let isWatching = false

/**
 * Tells of every request that the page and its workers have made, those before this call included.
 * @param {(requests: NetworkRequest[]) => void} listener
 * @returns {() => void} ends it
 */
export function onRequests(listener) {
  if (!isWatching) watch()
  if (requests.length > 0) listener([...requests])
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function watch() {
  isWatching = true
  watchRequests(record)
  for (const worker of [inferenceWorker, pythonWorker, thumbnailWorker]) worker.onRequests = record
}

/** @param {NetworkRequest[]} found */
function record(found) {
  requests.push(...found)
  for (const listener of listeners) listener(found)
}
