/** The page's end of the service worker: offline readiness, updates, cross-origin isolation. */

import { assetUrl } from './assets.js'

/**
 * Chromium lets a service worker that it thinks is still answering this page stay for up to five
 * minutes. The page that asked goes, then: the new build takes over from the one that follows.
 */
const TAKEOVER_LIMIT_MS = 2000

/**
 * @param {{
 *   onUpdate: (apply: () => void) => void,
 *   onKept: (isKept: boolean) => void,
 *   isBusy: () => boolean,
 * }} page `onUpdate` comes when a whole new build is on this device, `apply` changes to it; `onKept`
 *   once, when all of this one is, or cannot be; `isBusy` is true while a reload would lose something
 */
export async function registerServiceWorker({ onUpdate, onKept, isBusy }) {
  const { serviceWorker } = navigator
  if (!serviceWorker) return onKept(false) // an insecure origin, or a window that refuses storage
  const hadController = Boolean(serviceWorker.controller)
  let updating = false

  serviceWorker.addEventListener('controllerchange', () => {
    if (!hadController) reloadForIsolation(isBusy)
    else if (updating || !isBusy()) location.reload() // the old build's files are gone
  })

  /** @param {ServiceWorker} waiting */
  const announce = (waiting) =>
    onUpdate(() => {
      updating = true
      waiting.postMessage({ type: 'skipWaiting' })
      setTimeout(() => location.reload(), TAKEOVER_LIMIT_MS)
    })

  serviceWorker.addEventListener('message', ({ data }) => {
    if (data?.type === 'notKept') warn(data.reason)
  })
  /** @type {ServiceWorkerRegistration} */
  let registration
  try {
    registration = await serviceWorker.register(assetUrl('sw.js'), { updateViaCache: 'none' })
  } catch (error) {
    warn(error)
    return onKept(false)
  }
  if (registration.waiting && serviceWorker.controller) announce(registration.waiting)
  registration.addEventListener('updatefound', () => {
    const found = registration.installing
    found?.addEventListener('statechange', () => {
      if (found.state === 'installed' && serviceWorker.controller) announce(found)
    })
  })
  const ready = await Promise.race([serviceWorker.ready, refused(registration.installing)])
  if (!ready?.active) return onKept(false)
  const { version } = await ask(ready.active, { type: 'tellVersion' })
  if (version === document.documentElement.dataset.version) {
    // The browser, or another site of this origin, may have cleared what it had kept.
    const { error } = await ask(ready.active, { type: 'keepPage' })
    if (error) warn(error)
    return onKept(!error)
  }
  onKept(true)
  if (serviceWorker.controller && !isBusy()) reloadFor(version)
}

/** @param {unknown} reason in one line, for whoever has put the site on its host */
function warn(reason) {
  console.warn(`Gossamer works, but a build could not be kept for use without a network: ${reason}`)
}

/**
 * @param {ServiceWorker | null} worker
 * @returns {Promise<null>} resolves when it could not keep all of its build, for want of room or of
 *   a file; `ready` never does then, where there is no earlier one
 */
function refused(worker) {
  return new Promise((resolve) => {
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'redundant') resolve(null)
    })
  })
}

/**
 * A build that has taken over while this page of the one before was on its way. The page's
 * `controller` may be the earlier one for a moment longer.
 * @param {string | undefined} version
 */
function reloadFor(version) {
  if (isFirst(`gossamer-reloaded-for-${version}`)) location.reload()
}

/**
 * Sees to it that what has run a network here is there without a network, too. Our own engine is,
 * as a part of the page.
 * @param {{ runtime: import('./gossamer.js').Result['runtime'], backend: string }} engine
 * @returns {Promise<void>} rejects when it could not be fetched
 */
export async function keepEngine({ runtime, backend }) {
  if (runtime !== 'onnxruntime') return
  const registration = await navigator.serviceWorker?.getRegistration()
  const worker = registration?.active
  if (!worker) return
  const { error } = await ask(worker, { type: 'keepEngine', backend })
  if (error) throw new Error(error)
}

/**
 * @param {ServiceWorker} worker
 * @param {{ type: string, backend?: string }} message
 * @returns {Promise<{ error?: string, version?: string }>}
 */
async function ask(worker, message) {
  const { port1, port2 } = new MessageChannel()
  const answer = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data)
  })
  worker.postMessage(message, [port2])
  const data = await answer
  port1.close()
  return data
}

/**
 * Where the host sends no isolation headers the service worker adds them, but only to a page that
 * it has loaded: one reload, guarded, and never over somebody's work.
 * @param {() => boolean} isBusy
 */
function reloadForIsolation(isBusy) {
  if (globalThis.crossOriginIsolated || isBusy()) return
  if (isFirst('gossamer-reloaded-for-isolation')) location.reload()
}

/**
 * @param {string} key of what must not happen twice in this tab, where other sites may follow
 * @returns {boolean} false also where nothing can be remembered
 */
function isFirst(key) {
  const ours = `${key} ${assetUrl('')}`
  try {
    if (sessionStorage.getItem(ours)) return false
    sessionStorage.setItem(ours, 'yes')
    return true
  } catch {
    return false
  }
}
