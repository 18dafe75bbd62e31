/** Runs in the page that is measured. */
globalThis.benchCut = async ([photo, options, wantsPixels]) => {
  const tasks_ms = []
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks_ms.push(duration)
  })
  observer.observe({ type: 'longtask', buffered: false })
  const bytes = globalThis.benchPhotos[photo]
  const file = new File([bytes], `${photo}.jpg`, { type: 'image/jpeg' })
  const started_ms = performance.now()
  const { blob, timings, ...ran } = await globalThis.gossamer.removeBackground(file, options)
  const total_ms = performance.now() - started_ms
  await new Promise((resolve) => setTimeout(resolve, 100)) // the observer hears of tasks later
  observer.disconnect()
  const answer = {
    times_ms: { total: total_ms },
    longest_task_ms: Math.max(0, ...tasks_ms),
    bytes: blob.size,
    backend: ran.backend ?? 'wasm',
    precision: ran.precision ?? '',
    threads: ran.threads ?? navigator.hardwareConcurrency,
  }
  for (const [name, value] of Object.entries(timings)) {
    if (name.endsWith('_ms') && name !== 'total_ms') answer.times_ms[name.slice(0, -3)] = value
  }
  if (wantsPixels) {
    const buffer = new Uint8Array(await blob.arrayBuffer())
    let text = ''
    for (let at = 0; at < buffer.length; at += 32768) {
      text += String.fromCharCode(...buffer.subarray(at, at + 32768))
    }
    answer.png = btoa(text)
  }
  return answer
}
