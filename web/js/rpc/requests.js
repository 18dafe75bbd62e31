/** Every request that a thread makes, as its browser tells it. */

/**
 * `id` is another one for every request of every thread; a browser may tell of one again, with more
 * bytes.
 * @typedef {{ id: string, url: string, bytes: number }} NetworkRequest
 */

/**
 * Calls `onRequests` with those made so far and then with every new one; blob: and data: addresses
 * are memory and not requests.
 * @param {(requests: NetworkRequest[]) => void} onRequests
 * @returns {() => void} ends it
 */
export function watchRequests(onRequests) {
  const thread = Math.random()
  const observer = new PerformanceObserver((list) => {
    const timings = /** @type {PerformanceResourceTiming[]} */ (list.getEntries())
    const requests = timings
      .filter(({ name }) => name.startsWith('http'))
      .map(({ name, encodedBodySize, startTime }) => ({
        id: `${thread} ${startTime} ${name}`,
        url: name,
        bytes: encodedBodySize,
      }))
    if (requests.length > 0) onRequests(requests)
  })
  observer.observe({ type: 'resource', buffered: true })
  if (PerformanceObserver.supportedEntryTypes.includes('navigation')) {
    observer.observe({ type: 'navigation', buffered: true })
  }
  return () => observer.disconnect()
}
