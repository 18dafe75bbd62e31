/** Work on a finished photo, told like that on a new one as soon as a person would wonder. */

import { ProgressMeter } from './progress.js'

/** @typedef {import('./queue.js').Photo} Photo */
/** @typedef {import('./progress.js').StageReport} StageReport */

/** What is over sooner needs no words. */
const UNNOTICED_MS = 300
/** One step after the other is one work. */
const PAUSE_MS = 500
/** When the last work on it was told to be over. @type {WeakMap<Photo, number>} */
const endedAt_ms = new WeakMap()

/**
 * @template T
 * @param {Photo} photo
 * @param {(photo: Photo) => void} onChange of its progress
 * @param {(report: (report: StageReport) => void) => Promise<T>} run
 * @returns {Promise<T>}
 */
export async function told(photo, onChange, run) {
  const meter = new ProgressMeter('model') // whatever it will be
  let isTold = false
  const tell = (/** @type {import('./progress.js').Progress | null} */ progress) => {
    if (photo.state !== 'done') return // it has begun again
    photo.progress = progress
    onChange(photo)
  }
  const goesOn = performance.now() - (endedAt_ms.get(photo) ?? -PAUSE_MS) < PAUSE_MS
  const timer = setTimeout(
    () => {
      isTold = true
      tell(meter.progress)
    },
    goesOn ? 0 : UNNOTICED_MS,
  )
  try {
    return await run((report) => {
      meter.update(report)
      if (isTold) tell(meter.progress)
    })
  } finally {
    clearTimeout(timer)
    if (isTold) {
      endedAt_ms.set(photo, performance.now())
      tell(null)
    }
  }
}
