/**
 * Keeps one whole build on this device, and gives every answer the headers that make the page
 * cross-origin isolated, for hosts that cannot be told to.
 *
 * `gossamer site` fills in the seven constants. Networks lie in IndexedDB, and here only until they do,
 * where an update has brought them. Of ONNX Runtime's engines, up to 27 MB each, a device keeps those
 * that it has run.
 */

import { buildIn, nextNetworks, storedNetworks } from '../js/next-networks.js'

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self))

const VERSION = '{{ version }}'
/** @type {[path: string, sha256: string][]} */
const PRECACHE = JSON.parse('{{ precache | js_json }}')
/** What the app does without: no host's way with it costs a visitor the build. */
/** @type {[path: string, sha256: string][]} */
const SPARE = JSON.parse('{{ spare | js_json }}')
/** What few browsers ever need, kept from the first time that it is asked for. */
/** @type {[path: string, sha256: string][]} */
const LATER = JSON.parse('{{ later | js_json }}')
/** @type {Record<string, [path: string, sha256: string][]>} of ONNX Runtime, by backend */
const ENGINES = JSON.parse('{{ engines | js_json }}')
/** @type {[name: string, value: string][]} */
const HEADERS = JSON.parse('{{ headers | js_json }}')
/** @type {Record<string, string>} by the end of a file's name; a host may have none, or another one */
const TYPES = JSON.parse('{{ types | js_json }}')

const CONCURRENT_FETCHES = 4
// Caches belong to an origin, and several sites may share one.
const OURS = { start: 'gossamer-', end: ` ${new URL(worker.registration.scope).pathname}` }
const CACHE = `${OURS.start}${VERSION}${OURS.end}`
const HOME = urlOf('')
const INDEX = urlOf('index.html')
const SHARE = urlOf('share')
/** Not one of OURS: an update must not lose what was shared. */
const SHARED = `gossamer shared${OURS.end}`
/** Of what is kept as soon as it is asked for, by URL. */
const FILES = new Map([...PRECACHE, ...SPARE, ...LATER].map((file) => [urlOf(file[0]), file]))
const ENGINE_FILES = Object.values(ENGINES).flat()
const URLS = new Set([...FILES.keys(), ...ENGINE_FILES.map(([path]) => urlOf(path))])

worker.addEventListener('install', (event) => event.waitUntil(precache()))
worker.addEventListener('activate', (event) => event.waitUntil(takeOver()))
worker.addEventListener('message', (event) => {
  const { data, ports } = event
  if (data?.type === 'skipWaiting') worker.skipWaiting()
  if (data?.type === 'tellVersion') ports[0]?.postMessage({ version: VERSION })
  if (data?.type === 'keepPage') {
    event.waitUntil(keepAndTell(PRECACHE, ports[0]).then(forgetStored))
  }
  if (data?.type === 'keepEngine') {
    event.waitUntil(keepAndTell(ENGINES[data.backend] ?? [], ports[0]))
  }
})
worker.addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method === 'POST' && request.url === SHARE) {
    return event.respondWith(isShare(request.headers) ? takeShared(request) : toPage())
  }
  if (request.method !== 'GET' || request.headers.has('range')) return
  if (new URL(request.url).origin !== worker.location.origin) return
  if (request.cache === 'only-if-cached' && request.mode !== 'same-origin') return
  event.respondWith(answer(request, event.clientId))
})

/** Rejects, and so keeps the build that is here, unless every file has arrived as it was built. */
async function precache() {
  try {
    await keepAll([...PRECACHE, ...(await inUse())])
    await keepAll(await networksToCome())
  } catch (error) {
    await tellWhy(String(error))
    throw error
  }
  await Promise.allSettled(SPARE.map((file) => keepAll([file])))
}

/** @param {string} reason why this build cannot be kept, for the page, which browsers do not tell it */
async function tellWhy(reason) {
  for (const client of await ourWindows()) client.postMessage({ type: 'notKept', reason })
}

/** @param {[path: string, sha256: string][]} files */
async function keepAll(files) {
  const cache = await caches.open(CACHE)
  const pending = [...files]
  const fetchNext = async () => {
    for (let entry = pending.pop(); entry; entry = pending.pop()) await keep(cache, ...entry)
  }
  await Promise.all(Array.from({ length: CONCURRENT_FETCHES }, fetchNext))
}

/**
 * What an earlier build has kept of engines, and of what few need, in this build's version.
 * @returns {Promise<[path: string, sha256: string][]>}
 */
async function inUse() {
  const kept = new Set()
  for (const name of await cachesOfOurs()) {
    const requests = await (await caches.open(name)).keys()
    for (const { url } of requests) kept.add(fileName(url))
  }
  return [...Object.values(ENGINES), ...LATER.map((file) => [file])]
    .filter((files) => files.every(([path]) => kept.has(fileName(path))))
    .flat()
}

/**
 * What this build has in the place of the networks that an earlier one has stored.
 * @returns {Promise<[path: string, sha256: string][]>}
 */
async function networksToCome() {
  const stored = await storedNetworks()
  const next = await buildIn(await caches.open(CACHE))
  const found = new Set()
  for (const name of await cachesOfOurs()) {
    const before = name === CACHE ? null : await buildIn(await caches.open(name))
    for (const one of before && next ? nextNetworks(before, next, stored) : []) found.add(one)
  }
  return Array.from(found, ({ path, sha256 }) => [path, sha256])
}

/** Of the networks that an update has brought, those that a page has stored meanwhile. */
async function forgetStored() {
  const cache = await caches.open(CACHE)
  const stored = await storedNetworks()
  const { models } = (await buildIn(cache)) ?? { models: [] }
  for (const { path, sha256 } of models.flatMap(({ artefacts }) => artefacts)) {
    if (stored.has(sha256)) await cache.delete(urlOf(path))
  }
}

/** @param {string} path */
function fileName(path) {
  return path.slice(path.lastIndexOf('/') + 1)
}

/**
 * @param {[path: string, sha256: string][]} files
 * @param {MessagePort | undefined} port is told when everything is here, or what went wrong
 */
async function keepAndTell(files, port) {
  try {
    await keepAll(files)
    port?.postMessage({})
  } catch (error) {
    port?.postMessage({ error: String(error) })
  }
}

/**
 * What an earlier build, this page, or an install that was cut short has already brought is not
 * fetched again. It is kept with its headers, so that it can be answered with as it is: browsers keep
 * the machine code of WebAssembly by the response that it came in, and a copy of one is another.
 * @param {Cache} cache of this build, where nothing lies that was not whole
 * @param {string} path
 * @param {string} sha256 hexadecimal
 */
async function keep(cache, path, sha256) {
  const url = urlOf(path)
  if (await cache.match(url)) return
  const known = await matchOurs(url)
  const whole =
    (known && (await ifWhole(known, sha256))) ??
    (await ifWhole(await fetch(url), sha256)) ??
    (await ifWhole(await fetchAnew(path), sha256))
  if (!whole) throw new Error(`Expected sha256 ${sha256} for ${path}, received other bytes.`)
  const headers = { 'content-type': typeOf(path) }
  return cache.put(url, withHeaders(new Response(whole, { headers })))
}

/** @param {string} path of what the browser's own cache has not, or not as it was built */
async function fetchAnew(path) {
  const response = await fetch(urlOf(path), { cache: 'reload' })
  if (!response.ok) throw new Error(`Expected ${path}, received status ${response.status}.`)
  return response
}

/**
 * Its bytes alone: a response that came by a redirect is refused as the answer to a navigation, and a type
 * that a host has once sent wrongly would stay.
 * @param {Response} response is read to its end
 * @param {string} sha256 hexadecimal
 * @returns {Promise<Blob | undefined>}
 */
async function ifWhole(response, sha256) {
  const blob = await response.blob()
  return (await isWhole(await blob.arrayBuffer(), sha256)) ? blob : undefined
}

/**
 * @param {ArrayBuffer} file
 * @param {string} sha256 hexadecimal
 */
async function isWhole(file, sha256) {
  const bytes = Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', file)))
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('') === sha256
}

async function takeOver() {
  // Another tab than the one that asked for this build still runs the earlier one, and its workers may
  // have to start anew: then that build stays until the next one.
  if ((await ourWindows()).length < 2) await forgetEarlierBuilds()
  // Firefox waits until every worker of the page has heard of it, and an engine's threads sleep until they
  // have work. Until then this build would not be active, and the next visit would wait for that in vain.
  worker.clients.claim()
}

async function ourWindows() {
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  return windows.filter(({ url }) => url.startsWith(worker.registration.scope))
}

async function forgetEarlierBuilds() {
  for (const name of await cachesOfOurs()) if (name !== CACHE) await caches.delete(name)
}

async function cachesOfOurs() {
  const names = await caches.keys()
  return names.filter((name) => name.startsWith(OURS.start) && name.endsWith(OURS.end))
}

/**
 * Of the caches of this origin only those that are this site's: other pages have their own.
 * @param {string} url
 */
async function matchOurs(url) {
  for (const name of await cachesOfOurs()) {
    const kept = await (await caches.open(name)).match(url)
    if (kept) return kept
  }
  return undefined
}

/**
 * @param {Request} request a GET to this origin
 * @param {string} clientId of who asks
 * @returns {Promise<Response>}
 */
async function answer(request, clientId) {
  const url = request.url.replace(/[?#].*$/, '')
  const wanted = url === HOME ? INDEX : url
  const cache = await caches.open(CACHE)
  const file = FILES.get(wanted)
  // Where it cannot be kept, it is fetched all the same. Other sites of this origin clear caches, too.
  if (file && !(await cache.match(wanted))) await keep(cache, ...file).catch(() => {})
  // What only an earlier build has carries a hash in its name: no mixture comes of it.
  const kept = (await cache.match(wanted)) ?? (await matchOurs(wanted))
  if (kept) return kept
  const isVisit = request.mode === 'navigate'
  const isOfOurs = URLS.has(wanted) || (!isVisit && (await isOurs(clientId)))
  if (isOfOurs) return withType(withHeaders(await fetch(request)), wanted)
  try {
    return await fetch(request) // the host has other pages beside this one
  } catch (error) {
    const index = isVisit ? await cache.match(INDEX) : undefined
    if (!index) throw error
    return index
  }
}

/** @param {string} clientId of a page or a worker */
async function isOurs(clientId) {
  const client = clientId ? await worker.clients.get(clientId) : undefined
  const url = client?.url.replace(/[?#].*$/, '')
  return url !== undefined && (url === HOME || URLS.has(url))
}

/**
 * Any website may send a form here. A service worker is not told `Sec-Fetch-Site`, but an origin:
 * none or ours for pages of this one, `null` for the system's share menu, and for a form that hides
 * where it comes from. Of these two only the form's boundary is called one.
 * @param {Headers} headers of a POST
 */
function isShare(headers) {
  const origin = headers.get('origin') ?? worker.location.origin
  if (origin !== 'null') return origin === worker.location.origin
  return /^multipart\/form-data;(?!.*FormBoundary)/i.test(headers.get('content-type') ?? '')
}

/** @param {string} [query] */
function toPage(query = '') {
  return Response.redirect(`${worker.registration.scope}${query}`, 303)
}

/**
 * Photos from another app, by the manifest's share_target: kept until the page asks for them.
 * @param {Request} request
 */
async function takeShared(request) {
  const photos = (await request.formData()).getAll('photos')
  let asked = ''
  for (const [index, photo] of photos.entries()) {
    if (typeof photo === 'string') continue
    await keepShared(photo, index).catch(() => {
      asked = '?shared=incomplete' // the disk is full: another one may fit
    })
  }
  return toPage(asked)
}

/**
 * @param {File} photo
 * @param {number} index
 */
async function keepShared(photo, index) {
  const cache = await caches.open(SHARED)
  const address = `${SHARE}?${new URLSearchParams({ index: String(index), name: photo.name })}`
  await cache.put(address, new Response(photo, { headers: { 'content-type': photo.type } }))
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

/**
 * @param {Response} response to be changed
 * @param {string} url which may be none of this build's files
 */
function withType(response, url) {
  // What came in a file's place, an error or a page, stays what it is.
  const isFile = response.ok && !response.headers.get('content-type')?.startsWith('text/html')
  if (isFile && URLS.has(url)) response.headers.set('content-type', typeOf(url))
  return response
}

/** @param {string} file its path or its URL */
function typeOf(file) {
  return TYPES[file.slice(file.lastIndexOf('.'))] ?? 'application/octet-stream'
}

/** @param {string} path relative to the site's root, which is where this file lies */
function urlOf(path) {
  return new URL(path, worker.registration.scope).href
}
