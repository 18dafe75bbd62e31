/** Small pictures for the film strip. */

import { inspect } from '../gossamer.js'

const HEIGHT_PX = 192 // twice a tile's height, for dense screens

/**
 * One after the other: each takes a whole decoded photo for a moment.
 * @type {Promise<void>}
 */
let previous = Promise.resolve()

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Blob} blob
 * @param {() => boolean} isWanted false once the tile is gone or shows something newer
 * @returns {Promise<boolean>} whether it was drawn; a file the browser cannot read is not
 */
export function drawThumbnail(canvas, blob, isWanted) {
  const drawn = previous.then(async () => {
    if (!isWanted()) return false
    try {
      await inspect(blob)
      const bitmap = await createImageBitmap(blob, {
        resizeHeight: HEIGHT_PX,
        resizeQuality: 'medium',
      })
      const wanted = isWanted()
      if (wanted) {
        canvas.height = bitmap.height
        canvas.width = bitmap.width
        canvas.getContext('2d')?.drawImage(bitmap, 0, 0)
      }
      bitmap.close()
      return wanted
    } catch {
      return false // what is wrong with the file is told where it is cut out
    }
  })
  previous = drawn.then(() => {})
  return drawn
}
