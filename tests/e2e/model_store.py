"""The store of `pyside_logic/store.py` at a page's origin, as a test reads and writes it."""

# `models` is an IDBObjectStore.
_IN_MODELS = """
async (given) => {{
  const opened = indexedDB.open('gossamer', 1)
  opened.onupgradeneeded = () => opened.result.createObjectStore('models')
  await new Promise((resolve) => {{ opened.onsuccess = resolve }})
  const models = opened.result.transaction('models', 'readwrite').objectStore('models')
  const asked = {request}
  await new Promise((resolve) => {{ models.transaction.oncomplete = resolve }})
  opened.result.close()
  return asked.result
}}
"""
KEYS = _IN_MODELS.format(request="models.getAllKeys()")
PUT = _IN_MODELS.format(request="models.put(new Blob([given[1]]), given[0])")
