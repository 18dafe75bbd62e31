/** The IndexedDB database that `browser_storage.py` keeps networks in, as its other readers open it. */

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(models: IDBObjectStore) => IDBRequest<T>} ask
 * @returns {Promise<T>} rejects where storage is refused
 */
export async function inModels(mode, ask) {
  const database = await settled(openDatabase())
  try {
    return await settled(ask(database.transaction('models', mode).objectStore('models')))
  } finally {
    database.close()
  }
}

function openDatabase() {
  const request = indexedDB.open('gossamer', 1)
  request.onupgradeneeded = () => request.result.createObjectStore('models')
  return request
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
