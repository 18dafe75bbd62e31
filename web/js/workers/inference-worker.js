import { decode } from '../pipeline/decode.js'
import { detect } from '../pipeline/device.js'
import { infer, inferWider, load, prove } from '../pipeline/infer.js'
import { prepare, preprocess } from '../pipeline/preprocess.js'
import { Moved, serve } from '../rpc/serve.js'

prepare().catch(() => {}) // the first photo tries again

serve({
  detect: ['model', detect],
  load: ['model', load],
  prove: ['model', prove],
  decode: [
    'decode',
    async (request) => {
      const photo = await decode(request)
      return new Moved(photo, [photo.rgba])
    },
  ],
  preprocess: [
    'preprocess',
    async (request) => {
      const input = await preprocess(request)
      return new Moved({ input, photo: request.photo }, [input.buffer, request.photo.rgba])
    },
  ],
  inferWider: ['infer', inferWider],
  infer: [
    'infer',
    async (request) => {
      const result = await infer(request)
      return new Moved(result, [result.matte.data.buffer])
    },
  ],
})
