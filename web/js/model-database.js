/** The IndexedDB database that `browser_storage.py` keeps networks in, as its other readers open it. */

/** As in `browser_storage.py`. */
const OPEN_LIMIT_MS = 10_000
export const READ_LIMIT_MS = 30_000

/** An earlier request to open it has had no answer yet: another one would wait behind it. */
let isStuck = false

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(models: IDBObjectStore) => IDBRequest<T>} ask
 * @returns {Promise<T>} rejects where storage is refused, or does not answer
 */
export async function inModels(mode, ask) {
  const database = await openDatabase()
  try {
    const asked = ask(database.transaction('models', mode).objectStore('models'))
    return await within(READ_LIMIT_MS, settled(asked))
  } finally {
    database.close()
  }
}

/**
 * It may wait for long: as where somebody deletes the database, which another page holds open.
 * @returns {Promise<IDBDatabase>}
 */
async function openDatabase() {
  if (isStuck) throw new Error('storage does not answer')
  const request = indexedDB.open('gossamer', 1)
  request.onupgradeneeded = () => request.result.createObjectStore('models')
  const opening = settled(request)
  try {
    const database = await within(OPEN_LIMIT_MS, opening)
    database.onversionchange = () => database.close() // who deletes it is not to wait for us
    return database
  } catch (error) {
    isStuck = request.readyState === 'pending'
    opening
      .then((database) => database.close()) // nobody waits for it any more
      .catch(() => {})
      .finally(() => {
        isStuck = false
      })
    throw error
  }
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

/**
 * @template T
 * @param {number} limit_ms
 * @param {Promise<T>} promise
 * @returns {Promise<T>} rejects when the other one has not settled by then
 */
export function within(limit_ms, promise) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('storage does not answer')), limit_ms)
    promise.finally(() => clearTimeout(timer)).then(resolve, reject)
  })
}
