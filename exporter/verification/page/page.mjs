/**
 * Runs a job in a worker of its own, which is ended when it is done or when its time is up.
 *
 * @param {{ timeLimitMs: number } & Record<string, unknown>} job what worker.mjs reads, and the limit
 * @returns {Promise<{ outputs?: { dims: number[], float32: string }[], error?: string }>}
 *   `float32` is base64 of little-endian numbers
 */
window.runJob = async (job) => {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module' })
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  try {
    const answer = await new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data)
      worker.onerror = ({ message }) => resolve({ error: message || 'the worker has died' })
      const error = `no result within ${job.timeLimitMs / 1000} s`
      timer = setTimeout(() => resolve({ error }), job.timeLimitMs)
      worker.postMessage(job)
    })
    if (answer.error) return { error: answer.error }
    const outputs = await Promise.all(answer.outputs.map(encode))
    return { ...answer, outputs }
  } finally {
    clearTimeout(timer)
    worker.terminate()
  }
}

/** @param {{ dims: number[], data: Float32Array<ArrayBuffer> }} output */
async function encode({ dims, data }) {
  const url = await new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(new Blob([data]))
  })
  return { dims, float32: url.slice(url.indexOf(',') + 1) }
}
