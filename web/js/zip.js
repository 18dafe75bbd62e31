/** Many files as one ZIP, written while they are made: client-zip, loaded when it is first needed. */

import { assetUrl } from './assets.js'
import { build } from './build.js'
import { arrived } from './imports.js'

/** @typedef {{ name: string, input: Blob, lastModified?: Date }} ZipEntry */
/** @typedef {(files: AsyncIterable<ZipEntry>) => ReadableStream<Uint8Array<ArrayBuffer>>} MakeZip */
/**
 * The part of the File System Access API that is used here; not all browsers have it.
 * @typedef {{ name: string, createWritable(): Promise<WritableStream> }} FileHandle
 */
/** @typedef {(options: { suggestedName: string, types: object[] }) => Promise<FileHandle>} Picker */

/**
 * Straight into a file where the browser lets a person choose one, else by way of memory.
 * @param {string} name
 * @param {AsyncIterable<ZipEntry>} files
 * @returns {Promise<Blob | { name: string } | 'declined'>} what is left to be saved, or the file that a
 *   person has chosen for it, or that they have closed the dialog
 */
export async function saveZip(name, files) {
  const file = await chooseFile(name) // first: the browser opens its dialog only during a click
  if (file === 'declined') return file
  /** @type {{ makeZip: MakeZip }} */
  const { makeZip } = await arrived(import(assetUrl(build.zip.path)))
  if (!file) return new Response(makeZip(files)).blob()
  await makeZip(files).pipeTo(await file.createWritable())
  return file
}

/**
 * @param {string} name
 * @returns {Promise<FileHandle | 'declined' | null>} null where the browser has no such dialog,
 *   'declined' when the person has closed it
 */
async function chooseFile(name) {
  const picker = /** @type {{ showSaveFilePicker?: Picker }} */ (globalThis).showSaveFilePicker
  if (!picker) return null
  try {
    const types = [{ accept: { 'application/zip': ['.zip'] } }]
    return await picker({ suggestedName: name, types })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return 'declined'
    throw error
  }
}
