import { decode } from '../pipeline/decode.js'
import { thumbnail } from '../pipeline/thumbnail.js'
import { Moved, serve } from '../rpc/serve.js'

serve({
  thumbnail: [
    'decode',
    async (request) => {
      const result = await thumbnail(request)
      return new Moved(result, [result.bitmap])
    },
  ],
  requireWhole: [
    'decode',
    async (request) => {
      await decode({ ...request, longest_px: 1 })
      return null
    },
  ],
})
