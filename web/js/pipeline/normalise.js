/** Levels become the numbers that a network was trained on. */

/** @typedef {import('../build.js').Model} Model */

/**
 * @param {Uint8Array | Uint8ClampedArray} rgb height x width x 3 of the network
 * @param {Model['input']} input
 * @returns {Float32Array<ArrayBuffer>} `input_nchw`
 */
export function normalise(rgb, { height, width, scale, mean, std }) {
  const divisor = scale === 'max' ? Math.max(largest(rgb), 1e-6) : 255
  const plane = height * width
  const input = new Float32Array(3 * plane)
  for (let channel = 0; channel < 3; channel++) {
    const centre = /** @type {number} */ (mean[channel])
    const spread = /** @type {number} */ (std[channel])
    for (let i = 0; i < plane; i++) {
      const value = /** @type {number} */ (rgb[3 * i + channel])
      input[channel * plane + i] = (value / divisor - centre) / spread
    }
  }
  return input
}

/** @param {Uint8Array | Uint8ClampedArray} values */
function largest(values) {
  let found = 0
  for (const value of values) if (value > found) found = value
  return found
}
