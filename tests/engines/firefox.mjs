/**
 * Firefox by WebDriver BiDi, for Python: a command a line on stdin, an answer a line on stdout.
 *
 *     {"open": url}                        -> {"value": null}
 *     {"evaluate": function, "given": x}   -> {"value": what the function resolves to for x}
 *     whatever fails                       -> {"error": text}
 */

import { createInterface } from 'node:readline'
import puppeteer from 'puppeteer-core'

const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath: process.argv[2],
  headless: true,
  protocolTimeout: 300_000,
})
const page = await browser.newPage()

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`)
}
await browser.close()

async function answer({ open, evaluate, given }) {
  try {
    if (open) await page.goto(open)
    return { value: evaluate ? ((await page.evaluate(evaluate, given)) ?? null) : null }
  } catch (error) {
    return { error: String(error) }
  }
}
