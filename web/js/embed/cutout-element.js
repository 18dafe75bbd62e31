/**
 * `<gossamer-cutout>`: a picture that shows its subject alone, and gives it to its form as a file.
 * What it can do is in docs/embedding.md. The rest of Gossamer is fetched by the first picture.
 */

import { arrived } from '../imports.js'
import { cutoutFile } from './cutout-file.js'
import { CutoutView } from './cutout-view.js'

/** @typedef {import('../gossamer.js').AnyOptions} AnyOptions */
/** @typedef {import('../gossamer.js').Options} Options */
/** @typedef {import('../gossamer.js').Progress} Progress */
/** @typedef {import('../gossamer.js').Result} Result */
/** @typedef {import('../gossamer.js').Source} Source */
/** @typedef {'empty' | 'working' | 'done' | 'failed'} State each of them a CSS state, :state(done) */

export class GossamerCutout extends HTMLElement {
  static formAssociated = true
  static observedAttributes = [
    'alt',
    'backend',
    'background',
    'model',
    'name',
    'output-type',
    'required',
    'src',
  ]

  #internals = this.attachInternals()
  #view = new CutoutView(this)
  /** @type {Source | null} */
  #source = null
  /** @type {AnyOptions} */
  #options = {}
  /** @type {Result | null} */
  #result = null
  /** @type {Error | null} */
  #error = null
  /** @type {State} */
  #state = 'empty'
  #work = new AbortController()
  /** Whether something has changed since the last picture was begun. */
  #isStale = true
  #isUpdating = false

  /** The picture, in place of the one at `src`: what `removeBackground` takes, such as a File. */
  get source() {
    return this.#source
  }

  /** @param {Source | null} source */
  set source(source) {
    this.#source = source
    this.#changed()
  }

  /** More options of `removeBackground`; what attributes say wins over them. */
  get options() {
    return this.#options
  }

  /** @param {AnyOptions | null | undefined} options */
  set options(options) {
    this.#options = options ?? {}
    this.#changed()
  }

  get src() {
    return this.getAttribute('src') ?? ''
  }

  set src(address) {
    this.setAttribute('src', address)
  }

  get alt() {
    return this.getAttribute('alt') ?? ''
  }

  set alt(words) {
    this.setAttribute('alt', words)
  }

  get name() {
    return this.getAttribute('name') ?? ''
  }

  set name(name) {
    this.setAttribute('name', name)
  }

  /** What `removeBackground` resolved to, once there is a cut-out. */
  get result() {
    return this.#result
  }

  /** Why there is none. */
  get error() {
    return this.#error
  }

  get state() {
    return this.#state
  }

  get form() {
    return this.#internals.form
  }

  get validity() {
    return this.#internals.validity
  }

  get validationMessage() {
    return this.#internals.validationMessage
  }

  get willValidate() {
    return this.#internals.willValidate
  }

  checkValidity() {
    return this.#internals.checkValidity()
  }

  reportValidity() {
    return this.#internals.reportValidity()
  }

  /**
   * Cuts out now, once more after a failure, and where the element is in no page.
   * @returns {Promise<Result>} rejects as `removeBackground` does, with an AbortError when another
   *   picture took its place
   */
  cutOut() {
    this.#isStale = false
    this.#work.abort()
    this.#work = new AbortController()
    return this.#cut(this.#work.signal)
  }

  connectedCallback() {
    // Set by a script before this class was there.
    for (const name of /** @type {const} */ (['source', 'options'])) {
      if (!Object.hasOwn(this, name)) continue
      const value = this[name]
      delete (/** @type {Partial<GossamerCutout>} */ (this)[name])
      Object.assign(this, { [name]: value })
    }
    // So that a form can lead to what is wrong with it.
    if (!this.hasAttribute('tabindex')) this.setAttribute('tabindex', '-1')
    if (this.#result) this.#view.show(this.#result.blob)
    this.#update()
  }

  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.isConnected) return // it was moved
      this.#view.show(null)
      if (this.#state !== 'working') return
      this.#clear()
      this.#isStale = true // should it come back
    })
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} now
   */
  attributeChangedCallback(name, before, now) {
    if (before === now) return
    if (name === 'alt') this.#view.alt = now ?? ''
    else if (name === 'name' || name === 'required') this.#validate()
    else this.#changed()
  }

  formResetCallback() {
    if (this.#source) this.source = null // what `src` names is cut out already
  }

  #changed() {
    this.#isStale = true
    this.#update()
  }

  /** Once for all changes of a moment. */
  #update() {
    if (this.#isUpdating) return
    this.#isUpdating = true
    queueMicrotask(() => {
      this.#isUpdating = false
      if (!this.isConnected || !this.#isStale) return
      if (this.#wanted)
        this.cutOut().catch(() => {}) // told by an event
      else this.#clear()
    })
  }

  get #wanted() {
    return this.#source ?? (this.src || null)
  }

  #clear() {
    this.#isStale = false
    this.#work.abort()
    this.#enter('empty', {})
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Result>}
   */
  async #cut(signal) {
    this.#enter('working', {})
    try {
      const source = /** @type {Source} */ (this.#wanted)
      const result = await this.#removeBackground(source, signal)
      this.#enter('done', { result })
      this.dispatchEvent(new Event('load'))
      return result
    } catch (thrown) {
      if (signal.aborted) throw thrown
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      this.#enter('failed', { error })
      this.dispatchEvent(new ErrorEvent('error', { error, message: error.message }))
      throw error
    }
  }

  /**
   * @param {Source} source
   * @param {AbortSignal} signal
   */
  async #removeBackground(source, signal) {
    const { removeBackground } = await arrived(import('../gossamer.js'))
    const { onProgress } = this.#options
    const isListener = !onProgress || typeof onProgress === 'function' // else it is refused
    const result = await removeBackground(source, {
      ...this.#options,
      ...this.#optionsOfAttributes(),
      signal,
      onProgress: isListener ? (progress) => this.#report(progress) : onProgress,
    })
    signal.throwIfAborted()
    return result
  }

  /** @returns {Options} */
  #optionsOfAttributes() {
    const [model, background, type] = ['model', 'background', 'output-type'].map((name) =>
      this.getAttribute(name),
    )
    const backends = this.getAttribute('backend')?.split(/\s+/).filter(Boolean) ?? []
    const backend = backends.length > 1 ? backends : backends[0]
    return /** @type {Options} */ ({
      ...(model && { model }),
      ...(backend && { backend }),
      ...(background && { background }),
      ...(type && { output: { ...this.#options.output, type } }),
    })
  }

  /** @param {Progress} progress */
  #report(progress) {
    this.#view.report(progress)
    this.#options.onProgress?.(progress)
    this.dispatchEvent(new CustomEvent('progress', { detail: progress }))
  }

  /**
   * @param {State} state
   * @param {{ result?: Result, error?: Error }} outcome
   */
  #enter(state, { result, error }) {
    this.#internals.states.delete(this.#state)
    this.#internals.states.add(state)
    this.#state = state
    this.#result = result ?? null
    this.#error = error ?? null
    this.#internals.ariaBusy = String(state === 'working')
    this.#view.enter(state, error?.message ?? '')
    this.#view.show(this.isConnected && result ? result.blob : null)
    this.#internals.setFormValue(result ? cutoutFile(result.blob, this.#wanted) : null)
    this.#validate()
  }

  #validate() {
    const isMissing = this.#state === 'empty' && this.hasAttribute('required')
    if (!this.name)
      this.#internals.setValidity({}) // the form asks nothing of it
    else if (this.#state === 'working') this.#complain('The picture is still being cut out.')
    else if (this.#error) this.#complain(this.#error.message)
    else if (isMissing) this.#internals.setValidity({ valueMissing: true }, 'Choose a picture.')
    else this.#internals.setValidity({})
  }

  /** @param {string} message */
  #complain(message) {
    this.#internals.setValidity({ customError: true }, message)
  }
}

// Another copy of this module, from another folder, may have been first.
if (!customElements.get('gossamer-cutout')) {
  customElements.define('gossamer-cutout', GossamerCutout)
}
