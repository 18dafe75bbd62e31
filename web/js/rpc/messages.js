/**
 * Every message between the page and its two workers.
 *
 * A request is answered by any number of `progress` replies and then by one `result` or one
 * `error`. `cancel` names a request that nobody waits for any more; it gets no reply. Unasked, a worker
 * says that it is `ready`, whether its lock can be `watched`, and which `requests` it has made to the network.
 */

/** @typedef {import('./errors.js').Stage} Stage */
/** @typedef {import('./errors.js').WireError} WireError */

/**
 * A decoded photo: straight, upright sRGB pixels of `height` x `width` x 4 bytes.
 * @typedef {{ rgba: ArrayBuffer, height: number, width: number }} Photo
 */

/** @typedef {import('../pipeline/image-header.js').Density} Density */
/** @typedef {Photo & { density: Density | null }} DecodedPhoto */

/**
 * What a network returned: `height` x `width` values in [0, 1].
 * @typedef {{ data: Float32Array<ArrayBuffer>, height: number, width: number }} Matte
 */

/** @typedef {Record<string, number | boolean | string>} RefineOptions */
/** @typedef {'cutout' | 'alpha'} EncodedContent */

/**
 * One stroke of a brush that corrects the matte: `keep` paints the subject, else the background.
 * `points` are x, y, x, y ... and with `radius` in pixels of the photo; `hardness` is 0 to 1, the
 * part of the radius that is painted at full strength.
 * @typedef {{ keep: boolean, radius: number, hardness: number, points: number[] }} Stroke
 */

/**
 * - `type`: 'image/png' (default), 'image/svg+xml', or 'image/webp' where the browser writes it.
 * - `quality`: of a WebP, 0 to 1, 0.9 by default.
 * - `crop`: to the subject, with `margin_px` (none by default) around it as far as the photo goes.
 * - `background`: '#rrggbb', '#rgb' or one of the sixteen colours that HTML has names for, such as
 *   'white': the picture is opaque then. 'transparent' by default.
 * - `embed`: whether an SVG holds the photo, clipped to the subject's outline (default), or the
 *   outline alone.
 * @typedef {{
 *   type?: 'image/png' | 'image/webp' | 'image/svg+xml',
 *   quality?: number,
 *   crop?: boolean | { margin_px?: number },
 *   background?: string,
 *   embed?: boolean,
 * }} OutputOptions
 */

/** @typedef {{ bytes: Uint8Array<ArrayBuffer>, height: number, width: number }} EncodedFile */

/**
 * Requests to the inference worker: type -> [payload, result].
 * @typedef {{
 *   load: [{ model: string, blob: Blob | null }, { backend: 'wasm', threads: number }],
 *   warmUp: [{ model: string }, null],
 *   decode: [{ source: Blob | ImageBitmap | ImageData, name: string }, DecodedPhoto],
 *   preprocess: [
 *     { photo: Photo, model: string },
 *     { input: Float32Array<ArrayBuffer>, photo: Photo },
 *   ],
 *   infer: [{ input: Float32Array<ArrayBuffer>, model: string }, Matte],
 * }} InferenceCalls
 */

/**
 * Requests to the Python worker: type -> [payload, result]. `handle` names a photo that the worker
 * keeps, so that other edges need no new matte, until `closePhoto`.
 * @typedef {{
 *   start: [null, null],
 *   ensureModel: [
 *     { sha256: string, bytes: number, url: string, name: string, keep: string[] },
 *     { stored: boolean, blob: Blob | null },
 *   ],
 *   openPhoto: [{ photo: Photo, matte: Matte }, { handle: number }],
 *   refine: [
 *     {
 *       handle: number,
 *       options: RefineOptions,
 *       preview: boolean,
 *       cancelled: Int32Array | null,
 *     },
 *     { preview: ImageBitmap | null },
 *   ],
 *   preview: [
 *     { handle: number, options: RefineOptions, longest_px: number },
 *     { preview: ImageBitmap },
 *   ],
 *   touchUp: [{ handle: number, strokes: Stroke[] }, null],
 *   encode: [
 *     {
 *       handle: number,
 *       output: OutputOptions,
 *       content: EncodedContent,
 *       density: Density | null,
 *     },
 *     EncodedFile,
 *   ],
 *   closePhoto: [{ handle: number }, null],
 * }} PythonCalls
 */

/** @typedef {{ id: number, type: string, payload: any }} Request */
/** @typedef {{ id: number, type: 'cancel' }} Cancel */
/** @typedef {{ stage: Stage, done: number, total: number }} Progress */
/**
 * @typedef {{ type: 'ready', watched: boolean }
 *   | { type: 'requests', requests: import('./requests.js').NetworkRequest[] }
 *   | { id: number, type: 'progress' } & Progress
 *   | { id: number, type: 'result', payload: any }
 *   | { id: number, type: 'error', error: WireError }} Reply
 */

export {}
