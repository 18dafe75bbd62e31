/**
 * Every message between the page and its workers.
 *
 * A request is answered by `started` when its turn has come, any number of `progress` replies and
 * then one `result` or one `error`. `cancel` names a request that nobody waits for any more; where
 * it had not started, it gets no reply. Unasked, a worker says that it is `ready`, whether its lock
 * can be `watched`, which `requests` it has made to the network, and that it has `lost` what it
 * cannot work without.
 */

/** @typedef {import('./errors.js').Stage} Stage */
/** @typedef {import('./errors.js').WireError} WireError */

/**
 * A decoded photo: straight, upright pixels of `height` x `width` x 4 bytes.
 * @typedef {{ rgba: ArrayBuffer, height: number, width: number }} Photo
 */

/** @typedef {import('../pipeline/image-header.js').Density} Density */
/** @typedef {'srgb' | 'display-p3'} ColorSpace */

/**
 * What a photo's file says beside its pixels: its resolution upright, its EXIF as a TIFF structure,
 * whether it has a colour profile; and the colour space that its pixels were decoded into.
 * @typedef {{
 *   density: Density | null,
 *   exif: Uint8Array<ArrayBuffer> | null,
 *   hasProfile: boolean,
 *   colorSpace: ColorSpace,
 * }} PhotoFile
 */

/** @typedef {Photo & { file: PhotoFile }} DecodedPhoto */

/**
 * What a network has found: `height` x `width` values in [0, 1].
 * @typedef {{ data: Float32Array<ArrayBuffer>, height: number, width: number }} Matte
 */

/**
 * One way to run a network here: with whose engine, on which backend, from which file, and with how
 * much of the device.
 * @typedef {{
 *   runtime: 'winograd' | 'onnxruntime',
 *   backend: import('../build.js').Backend,
 *   artefact: import('../build.js').Artefact,
 *   threads: number,
 *   memoryLimit_bytes: number,
 * }} Engine
 */

/** @typedef {import('../pipeline/device.js').Device} Device */
/** @typedef {import('../pipeline/self-test.js').Deviation & { run_ms: number }} Proof */

/** @typedef {Record<string, number | boolean | string>} RefineOptions */
/** @typedef {'cutout' | 'alpha'} EncodedContent */

/** @typedef {Blob | ImageBitmap | ImageData} PictureSource */

/**
 * One stroke of a brush that corrects the matte: `keep` paints the subject, else the background.
 * `points` are x, y, x, y ... and with `radius` in pixels of the photo; `hardness` is 0 to 1, the
 * part of the radius that is painted at full strength.
 *
 * Or one tap that takes the `subject` at x, y out of the cut-out, or back into it.
 * @typedef {{ keep: boolean, radius: number, hardness: number, points: number[] }
 *   | { subject: [x: number, y: number] }} Stroke
 */

/**
 * One of several subjects: x and y are a point on it, the others its box, in pixels of the photo.
 * @typedef {{
 *   x: number,
 *   y: number,
 *   left: number,
 *   top: number,
 *   width: number,
 *   height: number,
 *   kept: boolean,
 * }} Subject
 */

/**
 * What is behind the subject, which makes the picture opaque; null or 'transparent': nothing.
 * - '#rrggbb', '#rgb' or one of the sixteen colours that HTML has names for, such as 'white'.
 * - A linear gradient between two or more colours, each with its place from 0 to 1 or evenly
 *   spread; `angle` in degrees as CSS counts them, 180 (downwards) by default.
 * - 'blur' or `blur_px` (the sigma): the photo's own background, out of focus.
 * - Another picture, of which the middle is taken.
 * @typedef {string | null
 *   | { gradient: (string | [colour: string, place: number])[], angle?: number }
 *   | { blur_px: number }
 *   | PictureSource} Background
 */

/**
 * - `type`: 'image/png' (default), 'image/svg+xml' or 'image/webp'.
 * - `quality`: of a WebP, 0 to 1, 0.9 by default.
 * - `depth`: bits of alpha from `segmentForeground` in a PNG, 8 (default) or 16.
 * - `crop`: to the subject, with `margin_px` (none by default) around it as far as the photo goes.
 * - `canvas`: a picture of another size for the subject to stand on, in px or in mm at `dpi` (300 by
 *   default). The subject fills `fill` of it (0.85), or its head that much of the height where
 *   `align` is 'head', with `head_room` (0.1) above.
 * - `background`: see Background.
 * - `shadow`: true, 'drop' or 'contact', or its lengths, opacity (0.4) and colour.
 * - `outline`: true, or the rim's width and colour (white).
 * - `preset`: options for 'product' (on a white square of 2000 px), 'id-photo' (35 x 45 mm), 'avatar'
 *   (head and shoulders in a square of 1024 px) or 'sticker'; those given beside it win.
 * - `metadata`: what of the photo's EXIF is written: 'keep' (default) says who made it, when, with
 *   what and of what; 'all' places and serial numbers too; 'none' nothing.
 * - `embed`: whether an SVG holds the photo, clipped to the subject's outline (default), or the
 *   outline alone.
 * @typedef {{
 *   type?: 'image/png' | 'image/webp' | 'image/svg+xml',
 *   quality?: number,
 *   depth?: 8 | 16,
 *   crop?: boolean | { margin_px?: number },
 *   canvas?: {
 *     height_px?: number,
 *     width_px?: number,
 *     height_mm?: number,
 *     width_mm?: number,
 *     dpi?: number,
 *     fill?: number,
 *     align?: 'centre' | 'head',
 *     head_room?: number,
 *   },
 *   background?: Background,
 *   shadow?: boolean | 'drop' | 'contact' | {
 *     kind?: 'drop' | 'contact',
 *     x_px?: number,
 *     y_px?: number,
 *     blur_px?: number,
 *     opacity?: number,
 *     colour?: string,
 *   },
 *   outline?: boolean | { width_px?: number, colour?: string },
 *   preset?: 'product' | 'id-photo' | 'avatar' | 'sticker',
 *   metadata?: 'keep' | 'all' | 'none',
 *   embed?: boolean,
 * }} OutputOptions
 */

/** @typedef {{ bytes: Uint8Array<ArrayBuffer>, height: number, width: number }} EncodedFile */

/**
 * A small picture of a file that would be `height` x `width`.
 * @typedef {{ preview: ImageBitmap, height: number, width: number }} FilePreview
 */

/**
 * Requests to the inference worker: type -> [payload, result].
 * @typedef {{
 *   detect: [{ backends: import('../build.js').Backend[] }, Device],
 *   load: [{ model: string, engine: Engine, blob: Blob | null }, null],
 *   prove: [{ model: string, engine: Engine }, Proof],
 *   decode: [
 *     { source: PictureSource, name: string, colorSpace?: ColorSpace, longest_px?: number },
 *     DecodedPhoto,
 *   ],
 *   preprocess: [
 *     { photo: DecodedPhoto, model: string },
 *     { input: Float32Array<ArrayBuffer>, photo: DecodedPhoto },
 *   ],
 *   infer: [
 *     { input: Float32Array<ArrayBuffer>, model: string, engine: Engine },
 *     { matte: Matte, peak: number, heap_bytes: number },
 *   ],
 *   inferWider: [
 *     { input: Float32Array<ArrayBuffer>, model: string, engine: Engine },
 *     { matte: Matte },
 *   ],
 * }} InferenceCalls
 */

/**
 * Requests to the Python worker: type -> [payload, result]. `handle` names a photo that the worker
 * keeps, so that other edges need no new matte, until `closePhoto`. `precise` keeps alpha in 16
 * bits; `backdrop` is the picture behind, which `output` then calls 'picture'; `place` is the path of
 * this copy of Gossamer and `keep` the sha256 of its networks; `received` is a network's beginning that
 * has come already, or all of it.
 * @typedef {{
 *   start: [null, null],
 *   ensureModel: [
 *     {
 *       sha256: string,
 *       bytes: number,
 *       url: string,
 *       name: string,
 *       place: string,
 *       keep: string[],
 *       received: Blob,
 *     },
 *     { blob: Blob | null },
 *   ],
 *   nameModels: [{ place: string, keep: string[] }, null],
 *   openPhoto: [{ photo: DecodedPhoto }, { handle: number }],
 *   setMatte: [{ handle: number, matte: Matte }, null],
 *   addWiderLook: [{ handle: number, matte: Matte }, { fused: Matte | null }],
 *   openKeyedPhoto: [{ photo: DecodedPhoto, key: string }, { handle: number, matte: Matte }],
 *   photoPixels: [{ handle: number }, Photo],
 *   offerMatte: [{ handle: number, matte: Matte, agreement: number }, { agreed: Matte | null }],
 *   subjectPart: [{ handle: number }, Photo | null],
 *   addSecondLook: [{ handle: number, matte: Matte }, null],
 *   refine: [
 *     {
 *       handle: number,
 *       options: RefineOptions,
 *       preview: boolean,
 *       precise: boolean,
 *     },
 *     { preview: ImageBitmap | null, isEmpty: boolean },
 *   ],
 *   preview: [
 *     { handle: number, options: RefineOptions, longest_px: number },
 *     { preview: ImageBitmap },
 *   ],
 *   previewFile: [
 *     {
 *       handle: number,
 *       options: RefineOptions,
 *       output: OutputOptions,
 *       longest_px: number,
 *       backdrop: Photo | null,
 *     },
 *     FilePreview,
 *   ],
 *   touchUp: [{ handle: number, strokes: Stroke[] }, null],
 *   subjects: [{ handle: number }, Subject[]],
 *   encode: [
 *     {
 *       handle: number,
 *       output: OutputOptions,
 *       content: EncodedContent,
 *       backdrop: Photo | null,
 *     },
 *     EncodedFile,
 *   ],
 *   closePhoto: [{ handle: number }, null],
 * }} PythonCalls
 */

/**
 * Requests to the thumbnail worker: type -> [payload, result].
 * @typedef {{
 *   thumbnail: [{ source: Blob, height_px: number }, { bitmap: ImageBitmap }],
 *   requireWhole: [{ source: Blob, name: string }, null],
 * }} ThumbnailCalls
 */

/**
 * `cancelled` turns 1 when nobody waits any more, also while the worker is busy.
 * @typedef {{
 *   id: number,
 *   type: string,
 *   payload: any,
 *   cancelled: Int32Array<SharedArrayBuffer> | null,
 * }} Request
 */
/** @typedef {{ id: number, type: 'cancel' }} Cancel */
/** @typedef {{ stage: Stage, done: number, total: number }} Progress */
/**
 * @typedef {{ type: 'ready', watched: boolean }
 *   | { type: 'requests', requests: import('./requests.js').NetworkRequest[] }
 *   | { type: 'lost', reason: string }
 *   | { id: number, type: 'started' }
 *   | { id: number, type: 'progress' } & Progress
 *   | { id: number, type: 'result', payload: any }
 *   | { id: number, type: 'error', error: WireError }} Reply
 */

export {}
