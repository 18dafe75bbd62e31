/**
 * Runs a network's plan as a browser does, on one thread.
 *
 *     node run-plan.mjs <winograd.wasm> <plan> <network.onnx> <input> <output> <whole or small>
 *
 * input: little-endian float32, one picture after the other; output likewise. The last one says
 * which of the two sizes that a plan may have.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { openNetwork } from '../../web/js/pipeline/winograd.js'

const [kernelPath, planPath, filePath, inputPath, outputPath, which] = process.argv.slice(2)
const kernel = await WebAssembly.compile(readFileSync(kernelPath))
const plan = Uint8Array.from(readFileSync(planPath))
const network = await openNetwork({ kernel, plan, file: readFileSync(filePath), threads: 1 })

const { run, height, width } = which === 'small' ? network.small : network
const size = 3 * height * width
const inputs = new Float32Array(Uint8Array.from(readFileSync(inputPath)).buffer)
const outputs = []
for (let start = 0; start < inputs.length; start += size) {
  outputs.push(Buffer.from(run(inputs.subarray(start, start + size)).buffer))
}
writeFileSync(outputPath, Buffer.concat(outputs))
