/** Which ways to run the network this device has, what came of trying them, and a way to try again. */

import { inspectEngines, resetEngines } from '../gossamer.js'
import { create, createButton } from './dom.js'
import { strings } from './strings.js'

export class EngineList extends HTMLElement {
  #rows = create('ul', { class: 'engines' })

  connectedCallback() {
    this.setAttribute('data-testid', 'engines')
    this.replaceChildren(
      create(
        'details',
        {},
        create('summary', {}, strings.enginesTitle),
        this.#rows,
        createButton('plain', strings.testEnginesAgain, () => this.#testAgain()),
      ),
    )
  }

  /** Reads anew what is known. */
  async refresh() {
    const { engines, missing } = await inspectEngines()
    const known = engines.map(({ title, state, reason, run_ms }) =>
      createRow(title, state === 'failed' ? reason : strings.engineStates[state](run_ms ?? 0)),
    )
    const lacking = missing.map((line) => {
      const [title = '', reason = ''] = line.split(': ', 2)
      return createRow(title, reason)
    })
    this.#rows.replaceChildren(...known, ...lacking)
  }

  async #testAgain() {
    await resetEngines()
    await this.refresh()
  }
}

/**
 * @param {string} title
 * @param {string} state
 */
function createRow(title, state) {
  return create('li', {}, create('span', {}, title), create('span', { class: 'muted' }, state))
}

customElements.define('gossamer-engine-list', EngineList)
