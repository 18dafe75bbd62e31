/**
 * Takes the place of sw.js where a site was taken down or moved: deletes what that site keeps here, and
 * answers nothing, so that its visitors ask the host again. `gossamer retire` writes it as it is.
 */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self))

/** How the names of this site's caches end. Other sites of this origin have theirs. */
const PLACE = ` ${new URL(worker.registration.scope).pathname}`

worker.addEventListener('install', () => worker.skipWaiting())
worker.addEventListener('activate', (event) => event.waitUntil(retire()))

async function retire() {
  for (const name of await caches.keys()) {
    if (name.startsWith('gossamer') && name.endsWith(PLACE)) await caches.delete(name)
  }
  // An open page reloads then, but for one where somebody's work would be lost.
  await worker.clients.claim()
  await worker.registration.unregister()
}
