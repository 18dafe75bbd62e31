"""The queue of the app, beside a memory that has room for one photo."""

from .conftest import RunJs

CUT_OUT_THREE = """
let open = 0
let kept = null
const opened = () => ({
  height: 1,
  width: 1,
  subjects: async () => [],
  askSpecialists: async () => 'auto',
  refine: async () => {},
  encode: async () => ({ blob: new Blob(), height: 1, width: 1 }),
  close: () => { open-- },
})
const openPhoto = async () => {
  if (open > 0) throw Object.assign(new Error('full'), { code: 'out_of_memory' })
  open++
  return opened()
}
const queue = new module.PhotoQueue(openPhoto, {
  onChange: () => {},
  onPreview: () => {},
  onDone: (photo, one) => { kept = one },
  lookSize: () => 0,
  whenFree: async () => {},
  makeRoom: async () => {
    kept?.close()
    return kept !== null
  },
})
queue.add(['a.png', 'b.png', 'c.png'].map((name) => new File([], name)))
await queue.idle()
return queue.photos.map(({ state }) => state)
"""


def test_a_photo_that_has_no_room_beside_the_open_one_takes_its_place(run_js: RunJs) -> None:
    assert run_js("ui/queue.js", CUT_OUT_THREE) == ["done", "done", "done"]
