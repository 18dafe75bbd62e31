/**
 * Keeps one whole build on this device, and gives every answer the headers that make the page
 * cross-origin isolated, for hosts that cannot be told to.
 *
 * `gossamer site` fills in the three constants. Networks are not kept here: they lie in IndexedDB.
 */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self))

const VERSION = '{{ version }}'
/** @type {[path: string, sha256: string][]} */
const PRECACHE = JSON.parse('{{ precache | js_json }}')
/** @type {[name: string, value: string][]} */
const HEADERS = JSON.parse('{{ headers | js_json }}')

const CONCURRENT_FETCHES = 4
// Caches belong to an origin, and several sites may share one.
const OURS = { start: 'gossamer-', end: ` ${new URL(worker.registration.scope).pathname}` }
const CACHE = `${OURS.start}${VERSION}${OURS.end}`
const INDEX = urlOf('index.html')
const URLS = new Set(PRECACHE.map(([path]) => urlOf(path)))

worker.addEventListener('install', (event) => event.waitUntil(precache()))
worker.addEventListener('activate', (event) => event.waitUntil(takeOver()))
worker.addEventListener('message', ({ data }) => {
  if (data?.type === 'skipWaiting') worker.skipWaiting()
})
worker.addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET' || request.headers.has('range')) return
  if (new URL(request.url).origin !== worker.location.origin) return
  if (request.cache === 'only-if-cached' && request.mode !== 'same-origin') return
  event.respondWith(answer(request))
})

/** Rejects, and so keeps the build that is here, unless every file has arrived as it was built. */
async function precache() {
  const cache = await caches.open(CACHE)
  const pending = [...PRECACHE]
  const fetchNext = async () => {
    for (let entry = pending.pop(); entry; entry = pending.pop()) await keep(cache, ...entry)
  }
  await Promise.all(Array.from({ length: CONCURRENT_FETCHES }, fetchNext))
}

/**
 * What an earlier build, or an install that was cut short, has already brought is not fetched again.
 * @param {Cache} cache
 * @param {string} path
 * @param {string} sha256 hexadecimal
 */
async function keep(cache, path, sha256) {
  const url = urlOf(path)
  const known = await caches.match(url)
  if (known && (await isWhole(known.clone(), sha256))) return cache.put(url, known)

  const response = await fetch(url, { cache: 'no-cache' })
  if (!response.ok) throw new Error(`Expected ${path}, received status ${response.status}.`)
  if (!(await isWhole(response.clone(), sha256))) {
    throw new Error(`Expected sha256 ${sha256} for ${path}, received other bytes.`)
  }
  // A response that came by a redirect is refused as the answer to a navigation, a new one is not.
  const type = response.headers.get('content-type') ?? 'application/octet-stream'
  return cache.put(url, new Response(await response.blob(), { headers: { 'content-type': type } }))
}

/**
 * @param {Response} response is read to its end
 * @param {string} sha256 hexadecimal
 */
async function isWhole(response, sha256) {
  const digest = await crypto.subtle.digest('SHA-256', await response.arrayBuffer())
  const bytes = Array.from(new Uint8Array(digest))
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('') === sha256
}

async function takeOver() {
  if ((await openTabs()) < 2) await forgetEarlierBuilds()
  await worker.clients.claim()
}

/**
 * Another tab than the one that asked for this build still runs the earlier one, and its workers may
 * have to start anew: then that build stays until the next one.
 */
async function openTabs() {
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  return windows.filter(({ url }) => url.startsWith(worker.registration.scope)).length
}

async function forgetEarlierBuilds() {
  for (const name of await caches.keys()) {
    const isOurs = name.startsWith(OURS.start) && name.endsWith(OURS.end)
    if (isOurs && name !== CACHE) await caches.delete(name)
  }
}

/**
 * @param {Request} request a GET to this origin
 * @returns {Promise<Response>}
 */
async function answer(request) {
  const url = request.url.replace(/[?#].*$/, '')
  // Any address below the site is the one page, but the notices are a page of their own.
  const wanted = request.mode === 'navigate' && !URLS.has(url) ? INDEX : url
  const cache = await caches.open(CACHE)
  // What only an earlier build has carries a hash in its name: no mixture comes of it.
  const kept = (await cache.match(wanted)) ?? (await caches.match(wanted))
  return withHeaders(kept ?? (await fetch(request)))
}

/** @param {Response} response its status and its body, which may still be arriving, stay */
function withHeaders(response) {
  // Opaque answers, such as a redirect that a navigation has to follow, cannot be copied.
  if (response.status === 0) return response
  const headers = new Headers(response.headers)
  for (const [name, value] of HEADERS) headers.set(name, value)
  return new Response(response.body, {
    status: response.status,
    statusText: response.statusText,
    headers,
  })
}

/** @param {string} path relative to the site's root, which is where this file lies */
function urlOf(path) {
  return new URL(path, worker.registration.scope).href
}
