/** Runs one network on one backend of ONNX Runtime Web, in a thread that may hang or die. */

/**
 * @typedef {object} Job
 * @property {'wasm' | 'webgl' | 'webgpu'} backend
 * @property {string} model path of the ONNX file
 * @property {string[]} inputs paths of little-endian float32 files
 * @property {number[]} dims of every input
 * @property {string} inputName
 * @property {string} outputName
 * @property {number} threads
 */

self.onmessage = async ({ data: job }) => {
  try {
    self.postMessage(await run(job))
  } catch (error) {
    self.postMessage({ error: error instanceof Error ? error.message : String(error) })
  }
}

/** @param {Job} job */
async function run({ backend, model, inputs, dims, inputName, outputName, threads }) {
  if (backend === 'webgpu' && !(await navigator.gpu?.requestAdapter())) {
    throw new Error('this browser has no WebGPU adapter')
  }
  const ort = await import(`./ort/ort.${backend}.min.mjs`)
  ort.env.logLevel = 'error'
  ort.env.wasm.wasmPaths = new URL('./ort/', import.meta.url).href
  ort.env.wasm.numThreads = threads
  const bytes = new Uint8Array(await read(model))
  const start = performance.now()
  const session = await ort.InferenceSession.create(bytes, { executionProviders: [backend] })
  const createMs = performance.now() - start

  const outputs = []
  const runsMs = []
  for (const path of inputs) {
    const input = new ort.Tensor('float32', new Float32Array(await read(path)), dims)
    const begin = performance.now()
    const results = await session.run({ [inputName]: input }, [outputName])
    const tensor = results[outputName]
    const data = await tensor.getData()
    runsMs.push(performance.now() - begin)
    if (tensor.type !== 'float32') throw new Error(`the output is ${tensor.type}, not float32`)
    outputs.push({ dims: [...tensor.dims], data: data.slice() })
  }
  return { outputs, createMs, runsMs }
}

/** @param {string} path */
async function read(path) {
  const response = await fetch(path)
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`)
  return response.arrayBuffer()
}
