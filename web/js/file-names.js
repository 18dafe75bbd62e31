/** Names of the files that are saved, after those of the photos: such as every system can unpack. */

/** @type {Record<string, string>} */
const EXTENSIONS = { 'image/png': 'png', 'image/webp': 'webp', 'image/svg+xml': 'svg' }

/** Folders and wild cards of some system, and what moves a cursor or turns a name around. */
const FORBIDDEN = /[\\/:*?"<>|]|\p{Cc}|\p{Zl}|\p{Zp}|\p{Bidi_Control}/gu
/** What Windows opens in place of a file, whatever the extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)/i
/** Of 255 bytes, or 255 characters, that a name may have: the rest is for what is added to it. */
const MOST_STEM_BYTES = 200

/**
 * @param {string} name of the photo
 * @param {string} [type] MIME type of the cut-out
 */
export function cutoutName(name, type = 'image/png') {
  return `${harmlessStem(name)}-cutout.${EXTENSIONS[type] ?? type.replace(/^.*\//, '')}`
}

/**
 * @param {string} name of any bytes
 * @returns {string} without its last extension, visible, and within 200 bytes of UTF-8
 */
function harmlessStem(name) {
  const dot = name.lastIndexOf('.')
  const stem = (dot > 0 ? name.slice(0, dot) : name).replace(/^[. ]+/, '')
  const kept = start(stem.replace(FORBIDDEN, '_'), MOST_STEM_BYTES).replace(/[. ]+$/, '')
  return kept.replace(DEVICE, '_$&') || 'picture'
}

/**
 * @param {string} text
 * @param {number} most_bytes
 * @returns {string} as many whole characters as fit
 */
function start(text, most_bytes) {
  const room = new Uint8Array(most_bytes)
  return text.slice(0, new TextEncoder().encodeInto(text, room).read)
}

/**
 * @param {string} name
 * @param {Set<string>} taken of `sameOnDisk`; the new one is added
 * @returns {string} `name`, with a number where it was taken
 */
export function uniqueName(name, taken) {
  let unique = name
  for (let count = 2; taken.has(sameOnDisk(unique)); count++) {
    unique = name.replace(/(\.[^.]*)?$/, (extension) => ` (${count})${extension}`)
  }
  taken.add(sameOnDisk(unique))
  return unique
}

/** @param {string} name not every disk tells a from A, or an é from an e with its accent */
function sameOnDisk(name) {
  return name.normalize('NFC').toLowerCase()
}
