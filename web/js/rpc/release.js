/**
 * Gives a buffer's memory back at once. The browser would keep it until it next looks for what nobody
 * holds, and of a photo that is hundreds of megabytes. `transfer(0)` does not do it for a buffer that
 * has come by a message: the browser has that one twice by then.
 * @param {ArrayBuffer} buffer empty afterwards
 */
export function release(buffer) {
  const { port1, port2 } = new MessageChannel()
  port2.close() // nobody is to get it
  port1.postMessage(buffer, [buffer])
  port1.close()
}
