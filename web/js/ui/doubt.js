/** Why a person should look at a photo that is done. */

import { t } from './strings.js'

/** @typedef {'empty' | 'unsure'} Doubt */

/** Below it, somebody should look; as in `exporter/confidence.py`. */
const SURE = 0.9

/**
 * @param {import('./queue.js').Photo} photo
 * @returns {Doubt | null}
 */
export function doubtOf({ isEmpty, confidence, edits }) {
  if (isEmpty) return 'empty'
  const isUnsure = confidence !== null && confidence < SURE
  return isUnsure && edits.strokes.length === 0 ? 'unsure' : null // who has painted has looked
}

/** @param {Doubt} doubt */
export function doubtState(doubt) {
  return { empty: t('stateEmpty'), unsure: t('stateUnsure') }[doubt]
}

/** @param {Doubt} doubt */
export function doubtWords(doubt) {
  return { empty: t('nothingFound'), unsure: t('unsure') }[doubt]
}
