/**
 * Runs one network on one backend of ONNX Runtime Web, in a thread that may hang or die; or two of
 * them in turn, so that both are timed under the same conditions. With a plan, the first one runs in
 * our own engine.
 */

import { openNetwork } from './winograd.js'

/**
 * @typedef {object} Job
 * @property {'wasm' | 'webgl' | 'webgpu'} backend
 * @property {string} model path of the ONNX file
 * @property {string} [plan] path of what our own engine does with the file
 * @property {string} [rival] path of another, which takes the same inputs
 * @property {number} [rounds] how often each of the two runs
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
async function run(job) {
  const { backend, model, inputs, dims, inputName, outputName, threads } = job
  if (backend === 'webgpu' && !(await navigator.gpu?.requestAdapter())) {
    throw new Error('this browser has no WebGPU adapter')
  }
  const ort = await import(`./ort/ort.${backend}.min.mjs`)
  ort.env.logLevel = 'error'
  ort.env.wasm.wasmPaths = new URL('./ort/', import.meta.url).href
  ort.env.wasm.numThreads = threads
  const open = async (path) =>
    ort.InferenceSession.create(new Uint8Array(await read(path)), { executionProviders: [backend] })
  const start = performance.now()
  const session = job.plan ? await openPlan(job) : await open(model)
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
  if (!job.rival) return { outputs, createMs, runsMs }

  const input = new ort.Tensor('float32', new Float32Array(await read(inputs[0])), dims)
  const rival = await open(job.rival)
  const [raceMs, rivalMs] = await race([session, rival], job.rounds, (one) =>
    one.run({ [inputName]: input }, [outputName]),
  )
  return { outputs, createMs, runsMs, raceMs, rivalMs }
}

/** @type {Set<Worker>} so that they are not taken for garbage */
const workers = new Set()

/**
 * @param {Job} job
 * @returns {Promise<object>} with a `run` as ONNX Runtime's sessions have it
 */
async function openPlan({ model, plan, threads, outputName, inputName, dims }) {
  const [file, planBytes] = await Promise.all(
    [model, plan].map(async (path) => new Uint8Array(await read(path))),
  )
  const kernel = await WebAssembly.compile(await read('winograd-threads.wasm'))
  const startThread = (start) =>
    new Promise((resolve, reject) => {
      const worker = new Worker('./thread.mjs', { type: 'module' })
      workers.add(worker)
      worker.onmessage = resolve
      worker.onerror = ({ message }) => reject(new Error(message))
      worker.postMessage(start)
    })
  const network = await openNetwork({ kernel, plan: planBytes, file, threads, startThread })
  return {
    run: async (feeds) => {
      const data = network.run(feeds[inputName].data)
      const output = { type: 'float32', dims: [1, 1, ...dims.slice(2)], getData: async () => data }
      return { [outputName]: output }
    },
  }
}

/**
 * @param {unknown[]} sessions
 * @param {number} rounds
 * @param {(session: unknown) => Promise<unknown>} start
 * @returns {Promise<number[][]>} for each session the times of its runs; a first one does not count
 */
async function race(sessions, rounds, start) {
  const times = sessions.map(() => [])
  for (let round = 0; round <= rounds; round++) {
    for (const [index, session] of sessions.entries()) {
      const begin = performance.now()
      await start(session)
      if (round > 0) times[index].push(performance.now() - begin)
    }
  }
  return times
}

/** @param {string} path */
async function read(path) {
  const response = await fetch(path)
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`)
  return response.arrayBuffer()
}
