import { encode, previewFile } from '../pipeline/encode.js'
import { ensureModel, nameModels } from '../pipeline/model-store.js'
import { startPython } from '../pipeline/python.js'
import {
  addSecondLook,
  addWiderLook,
  closePhoto,
  offerMatte,
  openKeyedPhoto,
  openPhoto,
  photoPixels,
  preview,
  refine,
  setMatte,
  subjectPart,
  subjects,
  touchUp,
} from '../pipeline/refine.js'
import { Moved, serve } from '../rpc/serve.js'

serve({
  start: [
    'refine',
    async (_nothing, onProgress) => {
      await startPython(() => onProgress(1, 2))
    },
  ],
  ensureModel: ['model', ensureModel],
  nameModels: ['model', nameModels],
  openPhoto: ['refine', openPhoto],
  setMatte: ['refine', setMatte],
  openKeyedPhoto: ['infer', openKeyedPhoto],
  photoPixels: [
    'refine',
    async (request) => {
      const photo = await photoPixels(request)
      return new Moved(photo, [photo.rgba])
    },
  ],
  offerMatte: ['refine', offerMatte],
  subjectPart: [
    'refine',
    async (request) => {
      const part = await subjectPart(request)
      return new Moved(part, part ? [part.rgba] : [])
    },
  ],
  addSecondLook: ['refine', addSecondLook],
  addWiderLook: ['refine', addWiderLook],
  refine: [
    'refine',
    async (request, onProgress, throwIfCancelled) => {
      const result = await refine(request, (done, total) => {
        throwIfCancelled()
        onProgress(done, total)
      })
      return new Moved(result, result.preview ? [result.preview] : [])
    },
  ],
  preview: [
    'refine',
    async (request) => {
      const result = await preview(request)
      return new Moved(result, [result.preview])
    },
  ],
  previewFile: [
    'encode',
    async (request) => {
      const result = await previewFile(request)
      return new Moved(result, [result.preview])
    },
  ],
  touchUp: ['refine', touchUp],
  subjects: ['refine', subjects],
  encode: [
    'encode',
    async (request) => {
      const file = await encode(request)
      return new Moved(file, [file.bytes.buffer])
    },
  ],
  closePhoto: ['refine', closePhoto],
})
