const [form, input, cutout, sent] = ['form', 'file', 'cutout', 'sent'].map((id) =>
  document.getElementById(id),
)

// Only the cut-out has a name: the picture itself stays here.
input.addEventListener('change', () => {
  cutout.source = input.files[0] ?? null
})

form.addEventListener('submit', (event) => {
  event.preventDefault() // a real page would let it go to its server
  const fields = new FormData(form)
  const picture = fields.get('picture')
  sent.textContent = `${fields.get('title')}: ${picture.name}, ${picture.type}, ${picture.size} bytes`
})
