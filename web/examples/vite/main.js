import { configure, removeBackground } from 'gossamer'

// What Vite copies from public/: it bundles our modules, not what they fetch.
configure({ publicPath: `${import.meta.env.BASE_URL}gossamer/` })

const [input, status, after] = ['file', 'status', 'after'].map((id) => document.getElementById(id))

input.addEventListener('change', async () => {
  status.textContent = 'At it …'
  try {
    const { blob, width, height } = await removeBackground(input.files[0])
    URL.revokeObjectURL(after.src)
    after.src = URL.createObjectURL(blob)
    status.textContent = `${width} × ${height} pixels`
  } catch (error) {
    status.textContent = error.message
  }
})
