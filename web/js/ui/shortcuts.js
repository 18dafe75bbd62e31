/** Keys for what is done again and again with the photo on the stage. */

import { redoStroke, undoStroke } from './edits.js'

/** Inputs that letters belong to. */
const TYPED_INTO = ['text', 'number', 'color']

/**
 * @param {object} work
 * @param {import('./photo-stage.js').PhotoStage} work.stage
 * @param {(change: (edits: import('./edits.js').Edits) => void) => boolean} work.edit of the photo
 *   that is looked at; false when there is none
 * @param {AbortSignal} signal ends it
 */
export function listenToKeys({ stage, edit }, signal) {
  const showCutout = () => stage.showOriginal(false)
  window.addEventListener('keydown', (event) => pressed(event, stage, edit), { signal })
  window.addEventListener('keyup', showCutout, { signal })
  window.addEventListener('blur', showCutout, { signal })
}

/**
 * @param {KeyboardEvent} event
 * @param {import('./photo-stage.js').PhotoStage} stage
 * @param {(change: (edits: import('./edits.js').Edits) => void) => boolean} edit
 */
function pressed(event, stage, edit) {
  const { key, altKey, shiftKey } = event
  if (isTyping(event.target) || altKey) return
  const name = key.toLowerCase()
  if (event.ctrlKey || event.metaKey) {
    if (name !== 'z' && name !== 'y') return
    if (edit(name === 'y' || shiftKey ? redoStroke : undoStroke)) event.preventDefault()
  } else if (name === 'o') stage.showOriginal(true)
  else if (key === '+' || key === '=') stage.zoomBySteps(1)
  else if (key === '-') stage.zoomBySteps(-1)
  else if (key === '0') stage.toggleZoom()
}

/** @param {EventTarget | null} target whether letters belong to it */
function isTyping(target) {
  return (
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && TYPED_INTO.includes(target.type))
  )
}
