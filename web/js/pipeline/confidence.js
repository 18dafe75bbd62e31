/** How sure a network is of what it has found, as `exporter/confidence.py` tells it. */

const ROUNDING = 1e-3

/**
 * 1 where all that a matte shows is the subject for sure, 0 where it shows nothing: its mean, weighted
 * by itself, times `peak`.
 * @param {import('../rpc/messages.js').Matte} matte
 * @param {number} peak
 * @returns {number} in [0, 1]
 */
export function confidenceIn({ data }, peak) {
  let shown = 0
  let sure = 0
  for (const alpha of data) {
    shown += alpha
    sure += alpha * alpha
  }
  return shown > 0 ? (peak * sure) / shown : 0
}

/**
 * What the surest pixel of an output is before it is stretched to 0..1: of a photo without a subject,
 * little.
 * @param {number} low of the output
 * @param {number} high
 * @returns {number} 1 where the numbers are no probabilities
 */
export function peakOf(low, high) {
  return low >= -ROUNDING && high <= 1 + ROUNDING ? Math.min(high, 1) : 1
}
