/** Keys for what is done again and again with the photo on the stage. */

import { redo, undo } from './edits.js'

/** Inputs that letters belong to. */
const TYPED_INTO = ['text', 'number']
/** Where single letters act: elsewhere a voice that is taken for typing would press them. */
const AT_THE_PHOTO = 'gossamer-photo-stage, gossamer-work-bar, gossamer-film-strip'

/**
 * @param {object} work
 * @param {import('./photo-stage.js').PhotoStage} work.stage
 * @param {(way: typeof undo | typeof redo) => boolean} work.go back or forth with the photo that is
 *   looked at; false when there is none
 * @param {AbortSignal} signal ends it
 */
export function listenToKeys({ stage, go }, signal) {
  window.addEventListener('keydown', (event) => pressed(event, stage, go), { signal })
  window.addEventListener(
    'keyup',
    ({ key }) => {
      if (key.toLowerCase() === 'o') stage.showOriginal(false)
    },
    { signal },
  )
  window.addEventListener('blur', () => stage.showOriginal(false), { signal })
}

/**
 * @param {KeyboardEvent} event
 * @param {import('./photo-stage.js').PhotoStage} stage
 * @param {(way: typeof undo | typeof redo) => boolean} go
 */
function pressed(event, stage, go) {
  const { key, altKey, shiftKey } = event
  if (isTyping(event.target) || altKey) return
  const name = key.toLowerCase()
  if (event.ctrlKey || event.metaKey) {
    if (name !== 'z' && name !== 'y') return
    if (go(name === 'y' || shiftKey ? redo : undo)) event.preventDefault()
  } else if (!isAtThePhoto(event.target)) return
  else if (name === 'o') stage.showOriginal(true)
  else if (key === '+' || key === '=') stage.zoomBySteps(1)
  else if (key === '-') stage.zoomBySteps(-1)
  else if (key === '0') stage.toggleZoom()
}

/** @param {EventTarget | null} target */
function isAtThePhoto(target) {
  if (target === document.body) return true // where nothing has the focus
  return target instanceof Element && target.closest(AT_THE_PHOTO) !== null
}

/** @param {EventTarget | null} target whether letters belong to it */
function isTyping(target) {
  return (
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && TYPED_INTO.includes(target.type))
  )
}
