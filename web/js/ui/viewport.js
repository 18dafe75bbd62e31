/** Where on the stage the photo lies, for a zoom and a position. Numbers only, no DOM. */

/** Photo pixels become at most this many of the screen's. */
const MAX_SCALE = 8
/** A small photo is shown at most twice its own size until somebody zooms. */
const MAX_FIT_SCALE = 2
const MARGIN_PX = 16
const ANOTHER_SIZE = 1.1

/** @typedef {{ height: number, width: number }} Size in px */
/** @typedef {{ size: Size, view: View }} Looked */
/** @typedef {{ left: number, top: number, width: number, height: number }} Box */
/**
 * `scale` is screen pixels of a photo pixel, null for as large as fits; `centre` the photo's point in
 * the middle of the stage, as parts of its sides.
 * @typedef {{ scale: number | null, centre: { x: number, y: number } }} View
 */

/** @type {Readonly<View>} all of the photo */
const FITTED = { scale: null, centre: { x: 0.5, y: 0.5 } }

export class Viewport {
  #stage = { width: 1, height: 1 }
  #photo = { width: 1, height: 1 }
  #scale = FITTED.scale
  #centre = { ...FITTED.centre }
  /** How the frame before this one, of another shape, was looked at. @type {Looked | null} */
  #before = null

  /** @param {{ width: number, height: number }} size in CSS px */
  set stage({ width, height }) {
    this.#stage = { width: Math.max(1, width), height: Math.max(1, height) }
  }

  /** @param {Size} size in its own px; whoever goes to another frame and back finds it as it was */
  set photo({ height, width }) {
    const size = { height, width }
    const looked = { size: this.#photo, view: this.view }
    if (isAnother(size, looked.size)) {
      const former = this.#before ?? looked
      this.view = isAnother(size, former.size) ? FITTED : former.view
      this.#before = looked
    }
    this.#photo = size
  }

  get photo() {
    return this.#photo
  }

  /** Screen pixels of a photo pixel. */
  get scale() {
    return this.#scale ?? this.fitScale
  }

  get fitScale() {
    return this.fitScaleOf(this.#photo)
  }

  /** @param {{ width: number, height: number }} photo in its own px */
  fitScaleOf({ width, height }) {
    const across = (this.#stage.width - 2 * MARGIN_PX) / width
    const down = (this.#stage.height - 2 * MARGIN_PX) / height
    return Math.max(1e-3, Math.min(across, down, MAX_FIT_SCALE))
  }

  /** True while the whole photo is in sight. */
  get fits() {
    return this.scale <= this.fitScale * 1.001
  }

  /** @returns {Box} of the photo, in CSS px from the stage's corner */
  get frame() {
    const width = this.#photo.width * this.scale
    const height = this.#photo.height * this.scale
    return {
      left: this.#stage.width / 2 - this.#centre.x * width,
      top: this.#stage.height / 2 - this.#centre.y * height,
      width,
      height,
    }
  }

  /** @returns {View} for another time */
  get view() {
    return { scale: this.#scale, centre: { ...this.#centre } }
  }

  /** @param {Readonly<View>} view */
  set view({ scale, centre }) {
    this.#scale = scale
    this.#centre = { ...centre }
  }

  fit() {
    this.view = FITTED
  }

  /** For another photo. */
  reset() {
    this.#before = null
    this.fit()
  }

  /**
   * @param {number} factor
   * @param {{ x: number, y: number }} [at] what stays where it is, in CSS px from the stage's corner
   */
  zoomBy(factor, at = { x: this.#stage.width / 2, y: this.#stage.height / 2 }) {
    this.zoomTo(this.scale * factor, at)
  }

  /**
   * @param {number} scale
   * @param {{ x: number, y: number }} [at]
   */
  zoomTo(scale, at = { x: this.#stage.width / 2, y: this.#stage.height / 2 }) {
    const before = this.frame
    const point = { x: (at.x - before.left) / before.width, y: (at.y - before.top) / before.height }
    const wanted = Math.min(MAX_SCALE, scale)
    if (wanted <= this.fitScale) return this.fit()
    this.#scale = wanted
    this.#centre.x = point.x - (at.x - this.#stage.width / 2) / (this.#photo.width * wanted)
    this.#centre.y = point.y - (at.y - this.#stage.height / 2) / (this.#photo.height * wanted)
    this.#stayInSight()
  }

  /**
   * @param {number} dx CSS px
   * @param {number} dy CSS px
   */
  panBy(dx, dy) {
    if (this.fits) return
    this.#centre.x -= dx / (this.#photo.width * this.scale)
    this.#centre.y -= dy / (this.#photo.height * this.scale)
    this.#stayInSight()
  }

  /** The middle of the stage never shows anything but the photo. */
  #stayInSight() {
    const { width, height } = this.#stage
    const frame = this.frame
    this.#centre.x = held(this.#centre.x, frame.width, width)
    this.#centre.y = held(this.#centre.y, frame.height, height)
  }
}

/**
 * @param {Size} first
 * @param {Size} second
 * @returns {boolean} whether they are of another frame: a preview tells the size of a crop but for a
 *   few pixels
 */
function isAnother(first, second) {
  const ratios = [first.height / second.height, first.width / second.width]
  return ratios.some((ratio) => Math.max(ratio, 1 / ratio) > ANOTHER_SIZE)
}

/**
 * @param {Size} first
 * @param {Size} second
 */
export function isSame(first, second) {
  return first.height === second.height && first.width === second.width
}

/**
 * Where an edge lies within a pixel of the screen, the photo shines through the cut-out's share of it.
 * @param {Box} box
 * @param {number} density pixels of the screen in a CSS px
 * @returns {Box}
 */
export function onWholePixels({ left, top, width, height }, density) {
  const whole = (/** @type {number} */ at) => Math.round(at * density) / density
  return {
    left: whole(left),
    top: whole(top),
    width: whole(left + width) - whole(left),
    height: whole(top + height) - whole(top),
  }
}

/**
 * @param {number} centre
 * @param {number} frame_px
 * @param {number} stage_px
 */
function held(centre, frame_px, stage_px) {
  if (frame_px <= stage_px) return 0.5
  const half = (stage_px / 2 - MARGIN_PX) / frame_px
  return Math.min(1 - half, Math.max(half, centre))
}
