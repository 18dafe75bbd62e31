/** The page's end of the service worker: offline readiness, updates, cross-origin isolation. */

import { assetUrl } from './assets.js'

const RELOADED = 'gossamer-reloaded-for-isolation'

/**
 * @param {{
 *   onUpdate: (apply: () => void) => void,
 *   onOfflineReady: () => void,
 *   isBusy: () => boolean,
 * }} page `onUpdate` comes when a whole new build is on this device, `apply` changes to it;
 *   `isBusy` is true while a reload would lose something
 */
export async function registerServiceWorker({ onUpdate, onOfflineReady, isBusy }) {
  const { serviceWorker } = navigator
  if (!serviceWorker) return // an insecure origin, or a window that refuses storage
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
    })

  /** @type {ServiceWorkerRegistration} */
  let registration
  try {
    registration = await serviceWorker.register(assetUrl('sw.js'), { updateViaCache: 'none' })
  } catch (error) {
    console.warn('Gossamer works, but not without a network:', error)
    return
  }
  if (registration.waiting && serviceWorker.controller) announce(registration.waiting)
  registration.addEventListener('updatefound', () => {
    const found = registration.installing
    found?.addEventListener('statechange', () => {
      if (found.state === 'installed' && serviceWorker.controller) announce(found)
    })
  })
  await serviceWorker.ready
  onOfflineReady()
}

/**
 * Sees to it that what runs the network here is there without a network, too.
 * @param {string} backend
 * @returns {Promise<void>} rejects when it could not be fetched
 */
export async function keepEngine(backend) {
  const registration = await navigator.serviceWorker?.getRegistration()
  const worker = registration?.active
  if (!worker) return
  const { port1, port2 } = new MessageChannel()
  const answer = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data.error)
  })
  worker.postMessage({ type: 'keepEngine', backend }, [port2])
  const error = await answer
  port1.close()
  if (error) throw new Error(error)
}

/**
 * Where the host sends no isolation headers the service worker adds them, but only to a page that
 * it has loaded: one reload, guarded, and never over somebody's work.
 * @param {() => boolean} isBusy
 */
function reloadForIsolation(isBusy) {
  if (globalThis.crossOriginIsolated || isBusy()) return
  try {
    if (sessionStorage.getItem(RELOADED)) return
    sessionStorage.setItem(RELOADED, 'yes')
  } catch {
    return // without a guard no reload
  }
  location.reload()
}
