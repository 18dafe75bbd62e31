/** Which ways to run the network this device has, what came of trying them, and a way to try again. */

import { inspectEngines, resetEngines } from '../gossamer.js'
import { create, createButton } from './dom.js'
import { errorWords, language, t } from './strings.js'

export class EngineList extends HTMLElement {
  #rows = create('ul', { class: 'engines' })

  connectedCallback() {
    this.setAttribute('data-testid', 'engines')
    this.replaceChildren(
      create(
        'details',
        {},
        create('summary', {}, t('enginesTitle')),
        this.#rows,
        createButton('plain', t('testEnginesAgain'), () => this.#testAgain()),
      ),
    )
  }

  /** Reads anew what is known, or says why nothing is. */
  async refresh() {
    try {
      const { engines, missing } = await inspectEngines()
      const known = engines.map((engine) => createRow(engine.title, stateWords(engine)))
      const lacking = missing.map((line) => {
        const [title = '', reason = ''] = line.split(': ', 2)
        return createRow(title, reason)
      })
      this.#rows.replaceChildren(...known, ...lacking)
    } catch (error) {
      this.#rows.replaceChildren(create('li', {}, errorWords(error, t('appName'))))
    }
  }

  async #testAgain() {
    await resetEngines().catch(() => {}) // what does not start is told with what is known
    await this.refresh()
  }
}

/** @param {import('../gossamer.js').EngineReport} engine */
function stateWords({ state, reason, run_ms }) {
  if (state === 'failed') return reason
  if (state === 'untried') return t('engineUntried')
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 }
  const seconds = ((run_ms ?? 0) / 1000).toLocaleString(language, digits)
  return t('enginePassed', { seconds })
}

/**
 * @param {string} title
 * @param {string} state
 */
function createRow(title, state) {
  return create('li', {}, create('span', {}, title), create('span', { class: 'muted' }, state))
}

customElements.define('gossamer-engine-list', EngineList)
