/**
 * Photos take turns: each takes its size in memory several times over, in the workers and in Python,
 * whose memory ends at 2 GB.
 */

/** While one is refined and written, the next one is decoded and looked at by the network. */
const AT_ONCE = 2

let taken = 0
/** @type {Set<() => void>} first come, first served */
const waiting = new Set()

/**
 * @template T
 * @param {() => Promise<T>} run must not wait for another turn
 * @param {AbortSignal | undefined} signal ends the waiting at once
 * @returns {Promise<T>}
 */
export async function inTurn(run, signal) {
  signal?.throwIfAborted()
  if (taken < AT_ONCE) taken++
  else await handedOver(signal)
  try {
    return await run()
  } finally {
    handOver()
  }
}

/**
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<void>} resolves when somebody hands over
 */
function handedOver(signal) {
  return new Promise((resolve, reject) => {
    const begin = () => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }
    const leave = () => {
      waiting.delete(begin)
      reject(signal?.reason)
    }
    waiting.add(begin)
    signal?.addEventListener('abort', leave, { once: true })
  })
}

function handOver() {
  const [begin] = waiting
  if (!begin) {
    taken--
    return
  }
  waiting.delete(begin)
  begin()
}
