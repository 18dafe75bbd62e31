/** Every request that a thread makes, as its browser tells it. */

/** `startedAt` is in ms of the Unix clock, the same in every thread. */
/** @typedef {{ url: string, bytes: number, startedAt: number }} NetworkRequest */

/**
 * Calls `onRequests` with those made so far and then with every new one; blob: and data: addresses
 * are memory and not requests.
 * @param {(requests: NetworkRequest[]) => void} onRequests
 * @returns {() => void} ends it
 */
export function watchRequests(onRequests) {
  const observer = new PerformanceObserver((list) => {
    const timings = /** @type {PerformanceResourceTiming[]} */ (list.getEntries())
    const requests = timings
      .filter(({ name }) => name.startsWith('http'))
      .map(({ name, encodedBodySize, startTime }) => ({
        url: name,
        bytes: encodedBodySize,
        startedAt: performance.timeOrigin + startTime,
      }))
    if (requests.length > 0) onRequests(requests)
  })
  observer.observe({ type: 'resource', buffered: true })
  if (PerformanceObserver.supportedEntryTypes.includes('navigation')) {
    observer.observe({ type: 'navigation', buffered: true })
  }
  return () => observer.disconnect()
}
