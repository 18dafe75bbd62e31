/**
 * What is dropped: files as they are, and the pictures in folders, however deep. What cannot be read,
 * for whatever reason, keeps none of the others out.
 */

const PICTURE = /\.(jpe?g|png|webp|avif|gif|bmp|hei[cf])$/i

/**
 * @param {DataTransfer} transfer only readable while its event is handled: call it then
 * @returns {Promise<File[]>} a folder's in the order of their names
 */
export async function droppedFiles(transfer) {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry?.() ?? null)
  if (!entries.some((entry) => entry?.isDirectory)) return Array.from(transfer.files)
  const found = await Promise.all(entries.map((entry) => entry && filesIn(entry)))
  return found.flatMap((files) => files ?? [])
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<File[]>}
 */
async function filesIn(entry) {
  if (entry.isFile) {
    return new Promise((resolve) =>
      /** @type {FileSystemFileEntry} */ (entry).file(
        (file) => resolve([file]),
        () => resolve([]),
      ),
    )
  }
  const children = await childrenOf(/** @type {FileSystemDirectoryEntry} */ (entry))
  children.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }))
  const wanted = children.filter(({ isDirectory, name }) => isDirectory || PICTURE.test(name))
  const found = await Promise.all(wanted.map((child) => filesIn(child)))
  return found.flat()
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<FileSystemEntry[]>}
 */
async function childrenOf(folder) {
  const reader = folder.createReader()
  /** @type {FileSystemEntry[]} */
  const children = []
  for (;;) {
    // A hundred at a time, and none when all have been told.
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])))
    if (some.length === 0) return children
    children.push(...some)
  }
}
