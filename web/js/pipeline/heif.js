/**
 * Part of stage `decode`: HEIC and HEIF files, which phones write and hardly any browser reads. libheif is
 * fetched when the first one comes.
 */

import { assetUrl } from '../assets.js'
import { build } from '../build.js'
import { REMEDY } from '../imports.js'
import { GossamerError } from '../rpc/errors.js'
import { Once } from './once.js'

/**
 * The part of libheif that is used here. `display` calls back with what it has filled, or null.
 * @typedef {{
 *   get_width(): number,
 *   get_height(): number,
 *   is_primary(): boolean,
 *   display(pixels: ImageData, done: (filled: ImageData | null) => void): void,
 *   free(): void,
 * }} HeifImage
 */
/** @typedef {import('../rpc/messages.js').ColorSpace} ColorSpace */
/** @typedef {{ decode(bytes: Uint8Array): HeifImage[], decoder?: unknown }} HeifDecoder */
/**
 * @typedef {{
 *   HeifDecoder: new () => HeifDecoder,
 *   heif_context_free(context: unknown): void,
 * }} Libheif
 */

/** @type {Once<'libheif', Libheif>} */
const once = new Once()

/**
 * @param {Blob} blob
 * @param {string} name for messages
 * @param {(size: { height: number, width: number }) => void} checkSize throws for what is too large
 * @param {ColorSpace} [colorSpace] that of its pixels, which libheif leaves as they are
 * @returns {Promise<ImageBitmap>} upright: libheif turns it itself. Rejects when the file is damaged,
 *   and with `model_unavailable` when libheif cannot be fetched
 */
export async function decodeHeif(blob, name, checkSize, colorSpace = 'srgb') {
  const { HeifDecoder, heif_context_free } = await once.get('libheif', () => load(name))
  const decoder = new HeifDecoder()
  const images = decoder.decode(new Uint8Array(await blob.arrayBuffer()))
  try {
    const image = images.find((candidate) => candidate.is_primary()) ?? images[0]
    if (!image) throw new Error('there is no picture in it')
    const size = { height: image.get_height(), width: image.get_width() }
    checkSize(size)
    const pixels = roomFor(size, colorSpace)
    const filled = await new Promise((resolve) => image.display(pixels, resolve))
    if (!filled) throw new Error('its picture cannot be decoded')
    return await createImageBitmap(pixels, { premultiplyAlpha: 'none' })
  } finally {
    for (const image of images) image.free()
    if (decoder.decoder) heif_context_free(decoder.decoder) // which holds the whole file
  }
}

/**
 * @param {{ height: number, width: number }} size
 * @param {ColorSpace} colorSpace
 */
function roomFor({ height, width }, colorSpace) {
  if (colorSpace === 'srgb') return new ImageData(width, height)
  try {
    return new ImageData(width, height, { colorSpace })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return new ImageData(width, height) // Firefox knows sRGB alone, and no such argument
  }
}

/**
 * @param {string} name
 * @returns {Promise<Libheif>}
 */
async function load(name) {
  try {
    const { default: start } = await import(assetUrl(build.heif.path))
    return await start()
  } catch {
    throw new GossamerError(
      'model_unavailable',
      'decode',
      `What reads HEIC files could not be fetched for ${name}. ${REMEDY}`,
    )
  }
}
