/** One more thread of a network's runs; see `pipeline/winograd-engine.js`. */

import { serveRuns } from '../pipeline/winograd.js'

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis))

scope.addEventListener(
  'message',
  ({ data }) => {
    serveRuns(data, () => scope.postMessage({ error: '' })).catch((error) =>
      scope.postMessage({ error: String(error) }),
    )
  },
  { once: true },
)
