/**
 * A network in `web/wasm/winograd.c`: memory, threads and runs. It fetches nothing, so that the
 * toolchain can run it in Node, too (`exporter/winograd/proof.py`).
 */

/**
 * What the kernel exports; addresses are bytes.
 * @typedef {{
 *   place(): number,
 *   lay_out(threads: number): number,
 *   pack(): void,
 *   run(): void,
 *   stack_end(thread: number): number,
 *   serve(thread: number): never,
 *   __stack_pointer: WebAssembly.Global,
 * }} Kernel
 */

/**
 * What a thread needs to take its part of every run.
 * @typedef {{ kernel: WebAssembly.Module, memory: WebAssembly.Memory, thread: number, stackEnd: number }} ThreadStart
 */

const { Memory } = WebAssembly // ONNX Runtime's is bound and counted: wasm-memory.js
const PAGE_BYTES = 65536
/** For what the kernel keeps before the plan. */
const KERNEL_BYTES = 16 * PAGE_BYTES
const MAGIC = 0x4e494757

/**
 * @param {{
 *   kernel: WebAssembly.Module,
 *   plan: Uint8Array<ArrayBuffer>,
 *   file: Uint8Array,
 *   threads: number,
 *   startThread?: (start: ThreadStart) => Promise<void>,
 * }} parts `file` is the ONNX file that the plan was made of; `kernel` one that shares its memory
 *   where there are several `threads`
 * @returns {Promise<(input: Float32Array) => Float32Array<ArrayBuffer>>} runs the network on a picture
 *   (1, 3, height, width) and returns its output (1, 1, height, width), as it is
 */
export async function openNetwork({ kernel, plan, file, threads, startThread }) {
  const [magic, , packed, arena, own, inputAt = 0, outputAt = 0, height = 0, width = 0] =
    new Int32Array(plan.slice(0, 64).buffer)
  if (magic !== MAGIC || !packed || !arena || !own) throw new Error('this is no plan of a network')
  const pages = Math.ceil(
    (KERNEL_BYTES + plan.length + 4 * (packed + arena + own * threads)) / PAGE_BYTES,
  )
  const memory = new Memory({ initial: pages, maximum: pages, shared: threads > 1 })
  const instance = await WebAssembly.instantiate(kernel, { env: { memory } })
  const exports = /** @type {Kernel} */ (/** @type {unknown} */ (instance.exports))

  const bytes = new Uint8Array(memory.buffer)
  bytes.set(plan, exports.place())
  const start = exports.lay_out(threads)
  bytes.set(file, start)
  exports.pack()
  const others = Array.from({ length: threads - 1 }, (_, index) => index + 1)
  await Promise.all(
    others.map((thread) =>
      startThread?.({ kernel, memory, thread, stackEnd: exports.stack_end(thread) }),
    ),
  )

  const pixels = height * width
  const input = new Float32Array(memory.buffer, start + 4 * inputAt, 3 * pixels)
  const output = new Float32Array(memory.buffer, start + 4 * outputAt, pixels)
  return (picture) => {
    input.set(picture) // other tensors have used its place since
    exports.run()
    return new Float32Array(output)
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
