/**
 * A network in `web/wasm/winograd.c`: memory, threads and runs. It fetches nothing, so that the
 * toolchain can run it in Node, too (`exporter/winograd/proof.py`).
 */

/**
 * What the kernel exports; addresses are bytes.
 * @typedef {{
 *   place(): number,
 *   lay_out(threads: number): number,
 *   choose(isSmall: number): void,
 *   pack(): void,
 *   run(): void,
 *   stack_end(thread: number): number,
 *   serve(thread: number): never,
 *   __stack_pointer: WebAssembly.Global,
 * }} Kernel
 */

/**
 * Runs the network on a picture (1, 3, height, width) and returns its output (1, 1, height, width), as
 * it is.
 * @typedef {(input: Float32Array) => Float32Array<ArrayBuffer>} RunPlan
 */

/** @typedef {{ run: RunPlan, height: number, width: number }} SizedNetwork */

/**
 * What a thread needs to take its part of every run.
 * @typedef {{ kernel: WebAssembly.Module, memory: WebAssembly.Memory, thread: number, stackEnd: number }} ThreadStart
 */

const { Memory } = WebAssembly // ONNX Runtime's is bound and counted: wasm-memory.js
const PAGE_BYTES = 65536
/** For what the kernel keeps before the plan. */
const KERNEL_BYTES = 16 * PAGE_BYTES
const MAGIC = 0x4e494757
/** Among the numbers before a plan's steps: what is made of all others, and where the small one begins. */
const CHECKSUM = 9
const SMALL = 11

/**
 * @param {{
 *   kernel: WebAssembly.Module,
 *   plan: Uint8Array<ArrayBuffer>,
 *   file: Uint8Array,
 *   threads: number,
 *   startThread?: (start: ThreadStart) => Promise<void>,
 * }} parts `file` is the ONNX file that the plan was made of; `kernel` one that shares its memory
 *   where there are several `threads`
 * @returns {Promise<SizedNetwork & { small: SizedNetwork | null }>} `small` has the same filters and
 *   the same code, for pictures that take a fraction of the time; rejects where the plan is damaged
 */
export async function openNetwork({ kernel, plan, file, threads, startThread }) {
  const numbers = new Int32Array(plan.slice(0, plan.length - (plan.length % 4)).buffer)
  requireWhole(numbers)
  const [, , packed = 0, arena = 0, own = 0] = numbers
  const smallAt = (numbers[SMALL] ?? 0) / 4
  const pages = Math.ceil(
    (KERNEL_BYTES + plan.length + 4 * (packed + arena + own * threads)) / PAGE_BYTES,
  )
  const memory = new Memory({ initial: pages, maximum: pages, shared: threads > 1 })
  const instance = await WebAssembly.instantiate(kernel, { env: { memory } })
  const exports = /** @type {Kernel} */ (/** @type {unknown} */ (instance.exports))

  const bytes = new Uint8Array(memory.buffer)
  bytes.set(plan, exports.place())
  const start = exports.lay_out(threads)
  const others = Array.from({ length: threads - 1 }, (_, index) => index + 1)
  const started = Promise.all(
    others.map((thread) =>
      startThread?.({ kernel, memory, thread, stackEnd: exports.stack_end(thread) }),
    ),
  )
  started.catch(() => {}) // told below
  bytes.set(file, start)
  exports.pack()
  await started

  /** @param {number} at of a plan's first number */
  const follow = (at) => {
    const [inputAt = 0, outputAt = 0, height = 0, width = 0] = numbers.subarray(at + 5)
    const pixels = height * width
    const input = new Float32Array(memory.buffer, start + 4 * inputAt, 3 * pixels)
    const output = new Float32Array(memory.buffer, start + 4 * outputAt, pixels)
    /** @type {RunPlan} */
    const run = (picture) => {
      exports.choose(Number(at > 0))
      input.set(picture) // other tensors have used its place since
      exports.run()
      return new Float32Array(output)
    }
    return { run, height, width }
  }
  return { ...follow(0), small: smallAt > 0 ? follow(smallAt) : null }
}

/** @param {Int32Array} numbers of a plan's file */
function requireWhole(numbers) {
  let sum = 0
  for (const [at, number] of numbers.entries()) {
    if (at !== CHECKSUM) sum = (Math.imul(31, sum) + number) | 0
  }
  if (numbers[0] !== MAGIC || numbers[CHECKSUM] !== sum) {
    throw new Error('this is no plan of a network, or a damaged one')
  }
}

/**
 * Takes its part of every run, until the worker ends.
 * @param {ThreadStart} start
 * @param {() => void} onReady
 */
export async function serveRuns({ kernel, memory, thread, stackEnd }, onReady) {
  const instance = await WebAssembly.instantiate(kernel, { env: { memory } })
  const exports = /** @type {Kernel} */ (/** @type {unknown} */ (instance.exports))
  exports.__stack_pointer.value = stackEnd
  onReady()
  exports.serve(thread)
}
