/** What is saved, and what a person is told of it. */

import { saveAll, savePhoto } from './saving.js'
import { errorWords, t } from './strings.js'

/** @typedef {import('./notice-bar.js').NoticeBar} NoticeBar */
/** @typedef {import('./visit.js').Visit} Visit */

/**
 * @param {Visit} visit
 * @param {NoticeBar} note
 * @param {import('./queue.js').Photo} photo
 */
export function savePhotoTold(visit, note, photo) {
  return visit.saveOnce(photo, async () => {
    try {
      await savePhoto(visit.editor, photo)
    } catch (error) {
      note.showError(() => errorWords(error, photo.name))
    }
  })
}

/**
 * @param {Visit} visit
 * @param {NoticeBar} note
 */
export function saveAllTold(visit, note) {
  const { editor, finished } = visit
  const total = finished.length
  const onProgress = (/** @type {number} */ done) => {
    note.show(() => t('zipping', { done: done + 1, total }))
  }
  const onSaved = (/** @type {string} */ name) => note.show(() => t('zipped', { total, name }))
  const onError = (/** @type {unknown} */ error, /** @type {string} */ name) => {
    note.showError(() => errorWords(error, name))
  }
  return visit.saveOnce('all', () => saveAll(editor, finished, { onProgress, onSaved, onError }))
}
