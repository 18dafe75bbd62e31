/** What keys do on the stage, as a few plain events. */

/**
 * @typedef {object} KeyEvents
 * @property {(dx: number, dy: number) => void} onPan in CSS px
 * @property {() => boolean} paints whether keys move a brush at present
 * @property {(dx: number, dy: number) => void} onStep of the brush, in CSS px
 * @property {() => void} onDab the brush touches the picture where it is
 */

const PAN_STEP_PX = 48
const BRUSH_STEP_PX = 6
const LARGE_BRUSH_STEP_PX = 48

/** @type {Record<string, [number, number]>} */
const DIRECTIONS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

/**
 * @param {HTMLElement} element
 * @param {KeyEvents} events
 * @param {AbortSignal} signal ends it
 */
export function listenToPictureKeys(element, events, signal) {
  element.addEventListener(
    'keydown',
    (event) => {
      if (event.target === element && act(event, events)) event.preventDefault()
    },
    { signal },
  )
}

/**
 * @param {KeyboardEvent} event
 * @param {KeyEvents} events
 * @returns {boolean} whether it was for the picture
 */
function act({ key, shiftKey, repeat }, { onPan, paints, onStep, onDab }) {
  const isBrush = paints()
  if (isBrush && (key === ' ' || key === 'Enter')) {
    if (!repeat) onDab()
    return true
  }
  const direction = DIRECTIONS[key]
  if (!direction) return false
  const [x, y] = direction
  const step_px = shiftKey ? LARGE_BRUSH_STEP_PX : BRUSH_STEP_PX
  if (isBrush) onStep(x * step_px, y * step_px)
  else onPan(-x * PAN_STEP_PX, -y * PAN_STEP_PX)
  return true
}
