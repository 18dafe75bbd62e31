/**
 * Reading of the model store. Python owns it and alone writes to it (`pyside_logic/store.py`);
 * this reads by key, so that a warm start does not wait for Python.
 */

import { inModels, READ_LIMIT_MS, within } from '../model-database.js'
import { GossamerError } from '../rpc/errors.js'
import { sha256Of } from './whole-file.js'

/**
 * @param {{ title: string, sha256: string }} model
 * @param {Blob | null} blob the file itself, where the store could not keep it
 * @returns {Promise<Uint8Array<ArrayBuffer>>} verified bytes
 */
export async function readStoredModel(model, blob) {
  const stored = blob ?? (await readBlob(model.sha256))
  // A browser may have lost the file that a Blob of its database stands for.
  const bytes = stored && (await within(READ_LIMIT_MS, stored.arrayBuffer()).catch(() => null))
  if (!bytes) {
    throw new GossamerError(
      'model_unavailable',
      'model',
      `The network ${model.title} is not on this device yet.`,
    )
  }
  // Pages that come without encryption have no crypto; then the download's own check must do.
  if (crypto.subtle && (await sha256Of(bytes)) !== model.sha256) {
    throw new GossamerError(
      'model_corrupt',
      'model',
      `The network ${model.title} was damaged on this device.`,
    )
  }
  return new Uint8Array(bytes)
}

/**
 * @param {string} key
 * @returns {Promise<Blob | null>} null when it is not there, and when storage is refused
 */
async function readBlob(key) {
  try {
    return (await inModels('readonly', (models) => models.get(key))) ?? null
  } catch {
    return null
  }
}
