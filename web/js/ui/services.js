/** What goes on beside the work: engines start, and this device keeps what the next visit needs. */

import * as gossamer from '../gossamer.js'
import { keepEngine, registerServiceWorker } from '../service-worker-client.js'
import { t } from './strings.js'

/** @typedef {import('./notice-bar.js').NoticeBar} NoticeBar */
/** @typedef {import('./visit.js').Visit} Visit */

/**
 * A first visit keeps the page when its first photos are done: fetching and proving all of it takes
 * the time of one. But threads wait for it where the service worker is what isolates the page.
 * @param {Visit} visit
 * @param {NoticeBar} updateNotice
 * @param {() => void} onKept when `visit.kept` is known
 */
export function startServices(visit, updateNotice, onKept) {
  window.addEventListener('beforeunload', (event) => {
    if (visit.hasUnsaved && !visit.isLeaving) event.preventDefault() // the browser asks
  })
  const keep = () => keepPage(visit, updateNotice)
  const isFirst = !navigator.serviceWorker?.controller
  const keptAtOnce = isFirst && globalThis.crossOriginIsolated ? null : keep()
  const idle = () => visit.queue.idle()
  requestAnimationFrame(() => {
    setTimeout(async () => {
      const engine = gossamer.preload({
        model: visit.queue.model,
        onProgress: (report) => visit.queue.reportPreload(report),
      })
      const pageKept = keptAtOnce ?? engine.then(idle, idle).then(keep)
      try {
        const { runtime, backend, stored } = await engine
        if (stored && !savesData()) preloadMore(visit).catch(() => {}) // at the next visit then
        const isKept = stored && (await pageKept)
        if (isKept) await keepEngine({ runtime, backend })
        if (visit.kept === 'not yet') visit.kept = isKept ? 'ready' : 'refused'
      } catch {
        return // a photo that needs what failed tells about it, in its place
      }
      onKept()
    })
  })
}

/**
 * The browser asks nothing here: by then, the old version would have gone.
 * @param {Visit} visit
 * @param {NoticeBar} notice
 * @param {() => void} apply
 */
function offerUpdate(visit, notice, apply) {
  const reload = () => {
    visit.isLeaving = true
    apply()
  }
  const warn = () =>
    notice.show(() => t('reloadLoses'), { label: () => t('reloadAnyway'), run: reload })
  const run = () => (visit.hasUnsaved ? warn() : reload())
  notice.show(() => t('updateReady'), { label: () => t('reload'), run })
}

/**
 * @param {Visit} visit
 * @param {NoticeBar} updateNotice
 * @returns {Promise<boolean>} whether this page is on the device, as soon as that is known
 */
function keepPage(visit, updateNotice) {
  return new Promise((resolve) => {
    registerServiceWorker({
      onUpdate: (apply) => offerUpdate(visit, updateNotice, apply),
      onKept: resolve,
      isBusy: () => visit.queue.photos.length > 0, // a reload would lose them
    })
  })
}

/**
 * What makes a visit better, and is worth nobody's waiting.
 * @param {Visit} visit
 */
async function preloadMore({ queue }) {
  const { model } = queue
  await queue.idle()
  if (model === 'auto') await gossamer.preloadSpecialists()
}

/** Whether this person has asked sites to fetch what is needed and no more. */
function savesData() {
  const { connection } = /** @type {{ connection?: { saveData?: boolean } }} */ (navigator)
  return connection?.saveData === true
}
