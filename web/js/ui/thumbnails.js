/** Small pictures for the film strip. */

import { thumbnail } from '../gossamer.js'

const HEIGHT_PX = 192 // twice a tile's height, for dense screens

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Blob} blob
 * @param {() => boolean} isWanted false once the tile is gone or shows something newer
 * @returns {Promise<boolean>} whether it was drawn; a file the browser cannot read is not
 */
export async function drawThumbnail(canvas, blob, isWanted) {
  try {
    const bitmap = await thumbnail(blob, HEIGHT_PX)
    const isShown = isWanted()
    if (isShown) {
      // Its shape is the picture's, or all are stretched to that of an empty canvas.
      canvas.width = bitmap.width
      canvas.height = bitmap.height
      canvas.getContext('bitmaprenderer')?.transferFromImageBitmap(bitmap)
    }
    bitmap.close()
    return isShown
  } catch {
    return false // what is wrong with the file is told where it is cut out
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {ImageBitmap} now, where `createImageBitmap` would leave the stage empty for a frame
 */
export function copyOf(canvas) {
  const copy = new OffscreenCanvas(canvas.width, canvas.height)
  copy.getContext('2d')?.drawImage(canvas, 0, 0)
  return copy.transferToImageBitmap()
}
