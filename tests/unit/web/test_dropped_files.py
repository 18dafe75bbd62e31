"""What is dropped: folders in folders, of which something cannot be read, and no folder at all."""

from .conftest import RunJs

DROP = """
const unreadable = (done, failed) => failed(new DOMException('gone', 'NotFoundError'))
const file = (name, isReadable = true) => ({
  name,
  isFile: true,
  file: isReadable ? (done) => done(name) : unreadable,
})
const folder = (name, ...children) => ({
  name,
  isDirectory: true,
  createReader: () => ({
    readEntries: (done, failed) => {
      if (children.includes(null)) unreadable(done, failed)
      else done(children.splice(0))
    },
  }),
})
const drop = (...entries) =>
  module.droppedFiles({
    items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })),
    files: ['as it is'],
  })
return Promise.all([
  drop(
    file('cup.png'),
    null,
    folder('holiday', file('cat 10.png'), file('notes.txt'), file('gone.png', false),
      file('cat 2.png'), folder('beach', folder('far', file('dog.WEBP')))),
    folder('locked', null),
    file('lost.png', false),
  ),
  drop(folder('holiday', file('gone.png', false))),
  drop(file('notes.txt'), null),
])
"""


def test_what_cannot_be_read_keeps_none_of_the_others_out(run_js: RunJs) -> None:
    found = run_js("ui/dropped-files.js", DROP)
    assert found == [["cup.png", "dog.WEBP", "cat 2.png", "cat 10.png"], [], ["as it is"]]
