const [input, own] = ['file', 'own'].map((id) => document.getElementById(id))

input.addEventListener('change', () => {
  own.source = input.files[0] ?? null
})
