"""The page's and the worker's end of a call, under Node: replies, aborts and deaths in any order.

Whatever comes, nothing is thrown where nobody listens, and every call ends once.
"""

import os

import pytest

from tests.unit.web.conftest import RunJs

from .conftest import Tried

SOAK = pytest.mark.soak

RANDOM = """
globalThis.navigator ??= {}
let state = given.seed >>> 0 || 1
const random = (n) => {
  state ^= state << 13; state >>>= 0
  state ^= state >>> 17
  state ^= state << 5; state >>>= 0
  return state % n
}
const pick = (values) => values[random(values.length)]
const thrownOutside = []
process.on('uncaughtException', (error) => thrownOutside.push(String(error?.stack ?? error)))
process.on('unhandledRejection', (error) => thrownOutside.push(String(error?.stack ?? error)))
"""

PAGE = """
class FakeWorker extends EventTarget {
  asked = []
  postMessage(message) {
    if (message.type === 'work' && random(40) === 0) {
      throw new DOMException('cannot be cloned', 'DataCloneError')
    }
    this.asked.push(message)
  }
  terminate() {}
}
const junk = () => pick([null, undefined, 7, 'text', [], {}, { id: 1 }, { type: 'result' },
  { id: 3, type: 'error' }, { id: 2, type: 'error', error: null }, { type: 'unheard' },
  { target: 'setImmediate', id: 4 }, { type: 'requests', requests: [] }, { type: 'ready' }])
let ended = 0, started = 0, outcomes = {}
for (let run = 0; run < given.runs; run++) {
  let worker
  const client = new module.WorkerClient(() => '', 'part that is tried',
    () => (worker = new FakeWorker()))
  const controllers = []
  let open = 0
  for (let step = random(40); step > 0; step--) {
    const chosen = random(12)
    if (chosen < 4 || !worker) {
      const controller = new AbortController()
      controllers.push(controller)
      let times = 0
      open++
      started++
      const settled = (how) => {
        ended++
        open--
        outcomes[how] = (outcomes[how] ?? 0) + 1
        if (++times > 1) thrownOutside.push('a call ended twice')
      }
      client.call('work', null, 'infer', { signal: controller.signal }).then(
        () => settled('result'),
        (reason) => settled(reason?.code ?? 'aborted'),
      )
    } else if (chosen < 8) {
      const id = random(3) ? pick(worker.asked)?.id : random(50)
      const type = pick(['result', 'progress', 'error', 'ready'])
      const error = { code: 'internal', stage: 'infer', message: 'it says' }
      const data = { id, type, payload: junk(), error, stage: 'infer', done: 1, total: 2 }
      worker.dispatchEvent(new MessageEvent('message', { data }))
    } else if (chosen === 8) {
      worker.dispatchEvent(new MessageEvent('message', { data: junk() }))
    } else if (chosen === 9) pick(controllers)?.abort('not wanted')
    else if (chosen === 10 && random(4) === 0) client.end('was tried')
    else worker.dispatchEvent(new Event(pick(['messageerror', 'unheard'])))
  }
  client.end('is done with')
  await new Promise((resolve) => setImmediate(resolve))
  if (open !== 0) return { failed: `${open} calls hang`, run, thrownOutside }
  if (thrownOutside.length > 0) return { failed: thrownOutside[0], run }
}
return { started, ended, outcomes }
"""

WORKER = """

const listeners = []
const replies = new Map()
globalThis.addEventListener = (_type, listener) => listeners.push(listener)
globalThis.name = 'tried'
globalThis.postMessage = (message, transfer) => {
  structuredClone(message, { transfer }) // what a real worker's does
  if (message.id !== undefined && !['started', 'progress'].includes(message.type)) {
    replies.set(message.id, (replies.get(message.id) ?? 0) + 1)
  }
}
const thrown = () => pick([undefined, null, 0, '', 'text', new Error('it failed'), Symbol('s'),
  Object.create(null), { toString: null }, new RangeError('Array buffer allocation failed'),
  new Proxy({}, { get() { throw new Error('no') } }), 10n])
const kept = new ArrayBuffer(8)
module.serve({
  gives: ['infer', () => pick([undefined, 1, 'x', { a: 1 }])],
  throws: ['infer', () => { throw thrown() }],
  rejects: ['infer', async () => { await null; throw thrown() }],
  cannotBeSent: ['infer', () => () => {}],
  moved: ['infer', () => {
    const data = new Float32Array(3)
    return new module.Moved(data, [data.buffer])
  }],
  movedTwice: ['infer', () => new module.Moved(1, [kept])],
  reports: ['infer', (_payload, onProgress) => onProgress(1, 2)],
})

const types = ['gives', 'throws', 'rejects', 'cannotBeSent', 'moved', 'movedTwice', 'reports',
  'unheard', 'toString', '__proto__', 'constructor', undefined]
let sent = 0
const expected = new Set()
for (let run = 0; run < given.runs; run++) {
  for (let step = random(20); step > 0; step--) {
    const id = ++sent
    const cancelled = random(6) === 0
    if (!cancelled) expected.add(id)
    for (const listener of listeners) listener({ data: { id, type: pick(types), payload: null } })
    if (cancelled) for (const listener of listeners) listener({ data: { id, type: 'cancel' } })
  }
  await new Promise((resolve) => setImmediate(resolve))
}
for (let wait = 0; wait < 100 && replies.size < expected.size; wait++) {
  await new Promise((resolve) => setTimeout(resolve, 10))
}
const missing = [...expected].filter((id) => replies.get(id) !== 1)
const unwanted = [...replies.keys()].filter((id) => !expected.has(id))
return { sent, missing: missing.length, unwanted: unwanted.length, thrownOutside }
"""

SIZES = [(2_000, 7), pytest.param(300_000, None, marks=SOAK)]


def seeds(runs: int, seed: int | None) -> list[int]:
    return [seed or int.from_bytes(os.urandom(4)) or 1 for _ in range(0, runs, 2_000)]


@pytest.mark.parametrize(("runs", "seed"), SIZES)
def test_every_call_of_the_page_ends(
    run_js: RunJs, tried: Tried, runs: int, seed: int | None
) -> None:
    for one in seeds(runs, seed):
        outcome = run_js("rpc/client.js", RANDOM + PAGE, runs=2_000, seed=one)
        assert "failed" not in outcome, (one, outcome)
        assert outcome["started"] == outcome["ended"] > 1_000
        assert set(outcome["outcomes"]) >= {"result", "internal", "aborted", "worker_died"}
        tried("rpc/client.js: calls under replies in any order", outcome["started"])


@pytest.mark.parametrize(("runs", "seed"), SIZES)
def test_the_worker_answers_every_request_once(
    run_js: RunJs, tried: Tried, runs: int, seed: int | None
) -> None:
    for one in seeds(runs, seed):
        outcome = run_js("rpc/serve.js", RANDOM + WORKER, runs=2_000, seed=one)
        assert outcome["thrownOutside"] == [], (one, outcome)
        assert (outcome["missing"], outcome["unwanted"]) == (0, 0), (one, outcome)
        assert outcome["sent"] > 1_000
        tried("rpc/serve.js: requests whose handlers fail in any way", outcome["sent"])
