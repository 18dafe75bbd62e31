/** Work that is done once for all who ask: they share what is on its way, or has come. */

/**
 * What fails is forgotten, and begun anew for whoever asks next.
 * @template Key, Value
 */
export class Once {
  /** @type {Map<Key, Promise<Value>>} */
  #begun = new Map()

  /**
   * @param {Key} key
   * @param {() => Promise<Value>} begin
   * @returns {Promise<Value>}
   */
  get(key, begin) {
    const known = this.#begun.get(key)
    if (known) return known
    const promise = begin()
    this.#begun.set(key, promise)
    promise.catch(() => {
      if (this.#begun.get(key) === promise) this.#begun.delete(key)
    })
    return promise
  }

  /** @param {Key} key */
  forget(key) {
    this.#begun.delete(key)
  }
}
