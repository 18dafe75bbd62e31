/**
 * The one error of the public API and its codes. `pyside_logic/errors.py` holds the same two
 * tables; a test keeps them equal.
 */

export const ERROR_CODES = /** @type {const} */ ([
  'empty_file',
  'unsupported_format',
  'truncated_image',
  'corrupt_image',
  'image_too_large',
  'image_too_small',
  'invalid_argument',
  'model_unavailable',
  'model_corrupt',
  'backend_unavailable',
  'out_of_memory',
  'worker_died',
  'aborted',
  'internal',
])

export const STAGES = /** @type {const} */ ([
  'model',
  'decode',
  'preprocess',
  'infer',
  'refine',
  'encode',
])

/** @typedef {(typeof ERROR_CODES)[number]} ErrorCode */
/** @typedef {(typeof STAGES)[number]} Stage */
/** `fatal`: the worker that it comes from is of no more use and is to be started anew. */
/** @typedef {{ code: ErrorCode, stage: Stage, message: string, fatal?: boolean }} WireError */

export class GossamerError extends Error {
  /**
   * Set where its worker is of no more use and would fail for ever: it remembers a failed import, or its
   * memory is beyond repair.
   */
  fatal = false

  /**
   * @param {ErrorCode} code
   * @param {Stage} stage
   * @param {string} message what was expected, what came, what to do
   * @param {ErrorOptions} [options]
   */
  constructor(code, stage, message, options) {
    super(message, options)
    this.name = 'GossamerError'
    this.code = code
    this.stage = stage
  }
}

/**
 * Anything thrown, as the error that crosses the thread boundary.
 * @param {unknown} thrown
 * @param {Stage} stage used when the error does not name its own
 * @returns {WireError}
 */
export function toWire(thrown, stage) {
  if (thrown instanceof GossamerError) {
    const { code, stage, message, fatal } = thrown
    return { code, stage, message, fatal }
  }
  const message = describe(thrown)
  const fatal = PYTHON_IS_FULL.test(message)
  const code = fatal || isOutOfMemory(message) ? 'out_of_memory' : 'internal'
  return { code, stage, message: fatal ? TOO_MUCH : message, fatal }
}

/** Python's word, where not even what it is called with finds room. `bridge.py` tells of all else. */
const PYTHON_IS_FULL = /MemoryError/
const TOO_MUCH =
  'This picture needs more memory than the browser gives. Close other photos, or make it smaller first.'

/**
 * Never throws: whoever waits for an answer gets one.
 * @param {unknown} thrown
 */
function describe(thrown) {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
  } catch {
    return 'something that has no words'
  }
}

/**
 * @param {string} message
 * @param {Stage} stage
 * @param {ErrorCode} [code]
 * @returns {GossamerError} that an engine could not be loaded here
 */
export function unloadable(message, stage, code = 'backend_unavailable') {
  return Object.assign(new GossamerError(code, stage, message), { fatal: true })
}

/**
 * @param {WireError} error
 * @returns {GossamerError}
 */
export function fromWire({ code, stage, message, fatal = false }) {
  return Object.assign(new GossamerError(code, stage, message), { fatal })
}

/**
 * JavaScript has no type for it. V8's, SpiderMonkey's, JavaScriptCore's and C++'s words.
 * @param {unknown} thrown
 */
export function isOutOfMemory(thrown) {
  return /out of memory|allocation failed|(failed|could not) (to )?allocate|bad_alloc|memory\.grow/i.test(
    String(thrown),
  )
}

/**
 * Nor for a file or module that did not come. Chromium's, Firefox's and Safari's words.
 * @param {unknown} thrown
 */
export function isFetchFailure(thrown) {
  return /failed to fetch|fetching of the wasm failed|network ?error|loading dynamically imported module|importing a module script failed|load failed/i.test(
    String(thrown),
  )
}
