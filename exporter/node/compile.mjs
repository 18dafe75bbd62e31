/**
 * Runs exporter/bytecode.py inside Pyodide, so that every host gets the same bytecode.
 *
 *     node compile.mjs <unpacked pyodide package> <bytecode.py> <jobs.json>
 *
 * jobs.json: [{source, target, installed_at}], paths on this machine.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const [packagePath, scriptPath, jobsPath] = process.argv.slice(2).map((path) => resolve(path))
const { loadPyodide } = await import(pathToFileURL(`${packagePath}/pyodide.mjs`).href)

// Without a fixed seed the order of set constants, and so the bytecode, changes with every run.
const pyodide = await loadPyodide({ indexURL: packagePath, env: { PYTHONHASHSEED: '0' } })
pyodide.FS.writeFile('bytecode.py', readFileSync(scriptPath))
const { compile_archive: compileArchive } = pyodide.pyimport('bytecode')
const { Path } = pyodide.pyimport('pathlib')

for (const job of JSON.parse(readFileSync(jobsPath, 'utf8'))) {
  console.log(`Compiling ${job.source} ...`)
  pyodide.FS.writeFile('source.zip', readFileSync(job.source))
  compileArchive.callKwargs(Path('source.zip'), Path('target.zip'), {
    installed_at: job.installed_at,
  })
  writeFileSync(job.target, pyodide.FS.readFile('target.zip'))
}
