/**
 * The memory of ONNX Runtime's WebAssembly, and of Python's, which they make themselves: a maximum of
 * 4 GB, which small devices refuse, and no option to change that or to see how much of it is in use.
 * So the constructor that they call is ours. In the two workers, before either is loaded.
 */

const PAGE_BYTES = 65536

let limit_bytes = Infinity
/** @type {WebAssembly.Memory | null} */
let latest = null

const BrowserMemory = WebAssembly.Memory

class BoundMemory extends BrowserMemory {
  /** @param {WebAssembly.MemoryDescriptor} descriptor */
  constructor(descriptor) {
    const { maximum } = descriptor
    const bound = Math.floor(limit_bytes / PAGE_BYTES)
    super(maximum === undefined ? descriptor : { ...descriptor, maximum: Math.min(maximum, bound) })
    if (maximum !== 0) latest = this // none: the engine asks whether memory can be shared
  }
}

/** @param {number} bytes Infinity for the engine's own maximum */
export function boundWasmMemory(bytes) {
  limit_bytes = bytes
  WebAssembly.Memory = BoundMemory
}

/** @returns {number} of what the worker has loaded; it grows and never shrinks. 0 where it has none */
export function wasmHeapBytes() {
  return latest?.buffer.byteLength ?? 0
}
