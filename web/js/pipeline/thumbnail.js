/** A small picture of a photo, made in a worker of its own: shrinking holds up whoever waits for it. */

/** @typedef {import('../rpc/messages.js').ThumbnailCalls} ThumbnailCalls */

/**
 * @param {ThumbnailCalls['thumbnail'][0]} request
 * @returns {Promise<ThumbnailCalls['thumbnail'][1]>} the bitmap is the receiver's to close
 */
export async function thumbnail({ source, height_px }) {
  const options = /** @type {ImageBitmapOptions} */ ({
    resizeHeight: height_px,
    resizeQuality: 'medium',
  })
  return { bitmap: await createImageBitmap(source, options) }
}
