import { encode } from '../pipeline/encode.js'
import { ensureModel } from '../pipeline/model-store.js'
import { startPython } from '../pipeline/python.js'
import { closePhoto, openPhoto, refine } from '../pipeline/refine.js'
import { Moved, serve } from '../rpc/serve.js'

serve({
  start: [
    'refine',
    async () => {
      await startPython()
    },
  ],
  ensureModel: ['model', ensureModel],
  openPhoto: ['refine', openPhoto],
  refine: [
    'refine',
    async (request, onProgress) => {
      const result = await refine(request, onProgress)
      return new Moved(result, result.preview ? [result.preview] : [])
    },
  ],
  encode: [
    'encode',
    async (request) => {
      const file = await encode(request)
      return new Moved(file, [file.bytes.buffer])
    },
  ],
  closePhoto: ['refine', closePhoto],
})
