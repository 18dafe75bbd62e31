import * as one from './gossamer/gossamer.js'
import * as other from './other/gossamer/gossamer.js'

const input = document.getElementById('file')
const status = document.getElementById('status')
const images = [...document.querySelectorAll('img')]

input.addEventListener('change', async () => {
  const [file] = input.files
  if (!file) return
  status.textContent = 'Both are at it …'
  try {
    const results = await Promise.all([one, other].map((copy) => copy.removeBackground(file)))
    for (const [index, { blob }] of results.entries()) {
      URL.revokeObjectURL(images[index].src)
      images[index].src = URL.createObjectURL(blob)
      images[index].hidden = false
    }
    status.textContent = 'Both are done.'
  } catch (error) {
    status.textContent = error.message
  }
})
