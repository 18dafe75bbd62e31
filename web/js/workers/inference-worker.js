import { decode } from '../pipeline/decode.js'
import { infer, load, warmUp } from '../pipeline/infer.js'
import { preprocess } from '../pipeline/preprocess.js'
import { Moved, serve } from '../rpc/serve.js'

serve({
  load: ['model', load],
  warmUp: ['model', warmUp],
  decode: [
    'decode',
    async (request) => {
      const photo = await decode(request)
      return new Moved(photo, [photo.rgba])
    },
  ],
  preprocess: [
    'preprocess',
    (request) => {
      const input = preprocess(request)
      return new Moved({ input, photo: request.photo }, [input.buffer, request.photo.rgba])
    },
  ],
  infer: [
    'infer',
    async (request) => {
      const matte = await infer(request)
      return new Moved(matte, [matte.data.buffer])
    },
  ],
})
