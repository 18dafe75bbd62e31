/**
 * One Pyodide under Node that runs Python for the tests.
 *
 *     node session.mjs <unpacked pyodide package> <folder of pyside_logic> <folder shared with the tests>
 *
 * Reads one JSON line {code, given} for each run: `code` is the inside of an async Python function
 * whose `return` value is written back, as one JSON line {answer} or {error}.
 */

import { createInterface } from 'node:readline'

const [packagePath, sourcesPath, sharedPath] = process.argv.slice(2)
const { loadPyodide } = await import(`file://${packagePath}/pyodide.mjs`)

const pyodide = await loadPyodide({
  indexURL: packagePath,
  packages: ['numpy'],
  env: { HOME: '/home/pyodide', PYTHONDONTWRITEBYTECODE: '1' },
  stdout: (line) => console.error(line),
})
pyodide.mountNodeFS('/sources', sourcesPath)
pyodide.mountNodeFS('/shared', sharedPath)
pyodide.runPython("import sys; sys.path.insert(0, '/sources')")
// What a test wants to know of the engine itself.
globalThis.heapBytes = () => pyodide._module.HEAPU8.length

for await (const line of createInterface({ input: process.stdin })) {
  const { code, given } = JSON.parse(line)
  const indented = code.replaceAll(/^/gm, '    ')
  const source = `import json\nasync def run(given):\n${indented}\njson.dumps(await run(json.loads(given)))`
  const globals = pyodide.toPy({ given: JSON.stringify(given) })
  let reply
  try {
    reply = { answer: JSON.parse(await pyodide.runPythonAsync(source, { globals })) }
  } catch (error) {
    reply = { error: error.message }
  } finally {
    globals.destroy()
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`)
}
