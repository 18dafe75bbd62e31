/** What is inside of `<gossamer-cutout>`: slots and parts for the page, see docs/embedding.md. */

/** @typedef {import('./cutout-element.js').State} State */
/** @typedef {import('../gossamer.js').Progress} Progress */

const RULES = [
  ':host { display: inline-block; max-width: 100% }',
  ':host([hidden]), [hidden] { display: none !important }',
  '[part=frame] { display: grid }',
  '[part=picture], [part=status], ::slotted(*) { grid-area: 1 / 1; min-width: 0 }',
  '[part=picture], ::slotted(img) { display: block; max-width: 100%; height: auto }',
  '[part=status] { align-self: end }',
  '[part=progress] { display: block; box-sizing: border-box; width: 100%; padding: 0.5em }',
  '[part=progress] { accent-color: currentColor }',
  '[part=error] { display: block; margin: 0.5em; padding: 0.5em 0.75em; border-radius: 0.5em }',
  '[part=error] { background: Canvas; color: CanvasText; overflow-wrap: anywhere }',
]

/** @type {CSSStyleSheet | null} one for all; made by a script, it needs no 'unsafe-inline' */
let styles = null

export class CutoutView {
  #picture = make('img', { part: 'picture', alt: '', hidden: '' })
  #bar = make('progress', { part: 'progress', max: '1', 'aria-label': 'Cutting out' })
  #words = make('span', { part: 'error' })
  #placeholder = make('slot')
  #progress = make('slot', { name: 'progress', hidden: '' }, this.#bar)
  #failure = make('slot', { name: 'error', hidden: '' }, this.#words)

  /** @param {HTMLElement} host */
  constructor(host) {
    if (!styles) {
      styles = new CSSStyleSheet()
      styles.replaceSync(RULES.join('\n'))
    }
    const root = host.attachShadow({ mode: 'open' })
    root.adoptedStyleSheets = [styles]
    const status = make('div', { part: 'status', role: 'status' }, this.#progress, this.#failure)
    root.append(make('div', { part: 'frame' }, this.#placeholder, this.#picture, status))
  }

  /** @param {string} words that stand for the picture */
  set alt(words) {
    this.#picture.alt = words
  }

  /**
   * @param {State} state
   * @param {string} words what went wrong
   */
  enter(state, words) {
    this.#placeholder.hidden = state === 'done'
    this.#progress.hidden = state !== 'working'
    this.#failure.hidden = state !== 'failed'
    this.#bar.removeAttribute('value')
    this.#words.textContent = words
  }

  /** @param {Progress} progress */
  report({ stage, done, total }) {
    if (stage === 'model' && total > 0) this.#bar.value = done / total
    else this.#bar.removeAttribute('value') // nobody knows how long the others take
  }

  /** @param {Blob | null} blob null gives its memory back */
  show(blob) {
    URL.revokeObjectURL(this.#picture.src) // nothing happens where there was none
    this.#picture.hidden = blob === null
    if (blob) this.#picture.src = URL.createObjectURL(blob)
    else this.#picture.removeAttribute('src')
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} [attributes]
 * @param {...Node} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}
