import { pixelChunk } from '../pipeline/png-file.js'
import { Moved, serve } from '../rpc/serve.js'

serve({
  deflate: [
    'encode',
    async ({ lines }) => {
      const result = pixelChunk(lines)
      return new Moved(result, [result.chunk.buffer])
    },
  ],
})
