/**
 * The threads of ONNX Runtime's WebAssembly are workers that it makes itself. Until the engine has
 * started, nothing but their own message handlers leads to them: Firefox may take them for garbage,
 * and the engine then waits for ever for an answer that comes to nobody. So the constructor that it
 * calls is ours. In the inference worker only, before the engine is loaded.
 */

/** @type {Set<Worker>} for as long as this worker lives: the engine keeps its threads, too */
const threads = new Set()

/** @param {typeof Worker} BrowserWorker */
const holding = (BrowserWorker) =>
  class extends BrowserWorker {
    /**
     * @param {string | URL} url
     * @param {WorkerOptions} [options]
     */
    constructor(url, options) {
      super(url, options)
      threads.add(this)
    }
  }

const BrowserWorker = globalThis.Worker // none in a worker of Safari before 15.5
const HeldWorker = BrowserWorker && holding(BrowserWorker)

export function holdWasmThreads() {
  if (HeldWorker) globalThis.Worker = HeldWorker
}
