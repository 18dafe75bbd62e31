/** Puts cut-outs where a person wants them: in a file, in one ZIP, in the clipboard. */

import { cutoutName, uniqueName } from '../file-names.js'
import { saveZip } from '../zip.js'

/** @typedef {import('./queue.js').Photo} Photo */
/** @typedef {import('./editor.js').PhotoEditor} PhotoEditor */

const ZIP_NAME = 'cutouts.zip'
/** A browser reads a blob's address soon after the click, not during it. */
const KEPT_FOR_MS = 60_000

/**
 * @param {PhotoEditor} editor
 * @param {Photo} photo
 */
export async function savePhoto(editor, photo) {
  const { version } = photo.edits
  const { blob } = await editor.file(photo)
  download(blob, cutoutName(photo.name, blob.type))
  photo.savedVersion = version
}

/**
 * @param {PhotoEditor} editor
 * @param {Photo[]} photos
 * @param {{
 *   onProgress: (done: number) => void,
 *   onSaved: (name: string) => void,
 *   onError: (error: unknown, name: string) => void,
 * }} events `onSaved` is told how the ZIP is called, `onError` of the photo whose file could not be
 *   made, or of the ZIP
 */
export async function saveAll(editor, photos, { onProgress, onSaved, onError }) {
  const versions = photos.map(({ edits }) => edits.version)
  /** @type {{ error: unknown, name: string } | null} what reads the ZIP rejects with less */
  let failure = null
  const fileOf = (/** @type {Photo} */ photo) =>
    editor.file(photo).catch((error) => {
      failure = { error, name: photo.name }
      throw error
    })
  try {
    const saved = await saveZip(ZIP_NAME, entries(fileOf, photos, onProgress))
    if (saved instanceof Blob) download(saved, ZIP_NAME)
    if (saved === 'declined') return
    for (const [index, photo] of photos.entries()) photo.savedVersion = versions[index] ?? 0
    onSaved(saved instanceof Blob ? ZIP_NAME : saved.name)
  } catch (thrown) {
    const { error, name } = failure ?? { error: thrown, name: ZIP_NAME }
    onError(error, name)
  }
}

/**
 * @param {PhotoEditor} editor
 * @param {Photo} photo
 */
export async function copyPhoto(editor, photo) {
  const { version } = photo.edits
  const isPng = (photo.edits.output.type ?? 'image/png') === 'image/png'
  const png = isPng ? editor.file(photo).then(({ blob }) => blob) : editor.asPng(photo)
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })])
  photo.savedVersion = version
}

/**
 * @param {(photo: Photo) => Promise<import('./queue.js').Picture>} fileOf
 * @param {Photo[]} photos
 * @param {(done: number) => void} onProgress
 */
async function* entries(fileOf, photos, onProgress) {
  const taken = new Set()
  for (const [index, photo] of photos.entries()) {
    onProgress(index)
    const { blob } = await fileOf(photo)
    const name = uniqueName(cutoutName(photo.name, blob.type), taken)
    yield { name, input: blob, lastModified: zipDate(photo.file.lastModified) }
  }
}

/**
 * @param {number} changed_ms of the Unix clock, whatever a camera or a server took it for
 * @returns {Date} one that a ZIP can hold: from 1980 to 2107
 */
function zipDate(changed_ms) {
  const [first_ms, last_ms] = [Date.UTC(1980, 0, 2), Date.UTC(2107, 11, 30)]
  return new Date(Math.min(Math.max(changed_ms || first_ms, first_ms), last_ms))
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function download(blob, name) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_FOR_MS)
}
