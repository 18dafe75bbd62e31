import { removeBackground } from './gossamer/gossamer.js'

const [input, status, before, after, save] = ['file', 'status', 'before', 'after', 'save'].map(
  (id) => document.getElementById(id),
)
let controller = new AbortController()

input.addEventListener('change', async () => {
  controller.abort() // the picture before this one is not wanted any more
  controller = new AbortController()
  const { signal } = controller
  const [file] = input.files
  if (!file) return
  show(before, file)
  try {
    const { blob, width, height, timings } = await removeBackground(file, { signal, onProgress })
    show(after, blob)
    save.href = after.src
    save.download = `${file.name.replace(/\.[^.]*$/, '')}-cutout.png`
    status.textContent = `${width} × ${height} pixels in ${Math.round(timings.total_ms)} ms.`
  } catch (error) {
    if (!signal.aborted) status.textContent = error.message
  }
})

function onProgress({ stage, done, total }) {
  const part = stage === 'model' && total > 0 ? `: ${Math.round((100 * done) / total)} %` : ''
  status.textContent = `${stage}${part} …`
}

function show(image, blob) {
  URL.revokeObjectURL(image.src)
  image.src = URL.createObjectURL(blob)
  image.closest('figure').hidden = false
}
