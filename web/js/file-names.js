/** Names of the files that are saved, after those of the photos. */

/** @type {Record<string, string>} */
const EXTENSIONS = { 'image/png': 'png', 'image/webp': 'webp', 'image/svg+xml': 'svg' }

/**
 * @param {string} name
 * @returns {string} without its last extension; ".jpg" alone keeps its name
 */
export function fileStem(name) {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(0, dot) : name
}

/**
 * @param {string} name of the photo
 * @param {string} [type] MIME type of the cut-out
 */
export function cutoutName(name, type = 'image/png') {
  return `${fileStem(name)}-cutout.${EXTENSIONS[type] ?? type.replace(/^.*\//, '')}`
}

/**
 * @param {string} name
 * @param {Set<string>} taken names in lower case; the new one is added
 * @returns {string} `name`, with a number where it was taken: not every disk tells a from A
 */
export function uniqueName(name, taken) {
  let unique = name
  for (let count = 2; taken.has(unique.toLowerCase()); count++) {
    unique = name.replace(/(\.[^.]*)?$/, (extension) => ` (${count})${extension}`)
  }
  taken.add(unique.toLowerCase())
  return unique
}
