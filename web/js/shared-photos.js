/** Photos that another app has shared with this one, when it is installed: sw.js lays them here. */

/**
 * @returns {Promise<{ files: File[], isComplete: boolean }>} each is given out once; not all of them
 *   where the device had no room
 */
export async function takeSharedPhotos() {
  const isComplete = !location.search.includes('shared=incomplete')
  if (!isComplete) history.replaceState(null, '', location.pathname)
  return { files: await takeFiles(), isComplete }
}

/** @returns {string} name of the cache in which they wait */
export function sharedPhotosCache() {
  return `gossamer shared ${new URL('.', location.href).pathname}`
}

async function takeFiles() {
  const name = sharedPhotosCache()
  const isThere = await globalThis.caches?.has(name).catch(() => false) // storage may be refused
  if (!isThere) return []
  const cache = await caches.open(name)
  const files = []
  for (const request of await cache.keys()) {
    const blob = await (await cache.match(request))?.blob()
    const photo = new URL(request.url).searchParams.get('name') ?? ''
    if (blob) files.push(new File([blob], photo, { type: blob.type }))
  }
  await caches.delete(name)
  return files
}
