/** The choices that hold for every photo: language, network, and what is kept on this device. */

import { clearStorage, readStorage } from '../device-storage.js'
import { ChoiceControl } from './controls.js'
import { closeWithFocus, create, createButton, createIconButton, setLabel } from './dom.js'
import { createIcon } from './icons.js'
import { chosenModel, modelWords } from './model-words.js'
import { forgetAll, remember } from './settings.js'
import { formatBytes, LANGUAGES, language, t } from './strings.js'

/** @typedef {import('../device-storage.js').StoredModel} StoredModel */

export class SettingsSheet extends HTMLElement {
  /** @type {(language: string) => Promise<void>} resolves when it is spoken, or cannot be */
  onLanguage = async () => {}
  /** @type {(model: string) => void} */
  onModel = () => {}
  /** The photo that is looked at, with the network that is chosen now. */
  onAgain = () => {}
  /** Whether there is one, and it is done. */
  canDoAgain = () => false

  #button = create('button', { type: 'button', class: 'button quiet icon-only' })
  #language = create('select', { 'data-testid': 'language' })
  #models = create('div', { hidden: true })
  #again = createButton('plain', t('doAgain'), () => {
    this.close()
    this.onAgain()
  })
  #kept = create('ul', { class: 'requests' })
  #sheet = create('section', { class: 'sheet', popover: 'auto', id: 'settings-sheet' })

  connectedCallback() {
    this.setAttribute('data-testid', 'settings')
    this.#button.replaceChildren(createIcon('settings'))
    setLabel(this.#button, t('settings'))
    this.#button.popoverTargetElement = this.#sheet
    const title = create('h2', { class: 'large', id: 'settings-title' }, t('settings'))
    const close = createIconButton('close', t('close'), () => this.#sheet.hidePopover())
    this.#sheet.setAttribute('aria-labelledby', title.id)
    this.#sheet.replaceChildren(
      create('div', { class: 'sheet-head' }, title, close),
      create(
        'div',
        { class: 'sections' },
        this.#languages(),
        this.#models,
        create('h2', {}, t('onThisDevice')),
        this.#kept,
        create('p', { class: 'muted' }, t('deleteHint')),
        this.#deleteButton(),
      ),
    )
    this.#sheet.ontoggle = () => this.#refresh()
    closeWithFocus(this.#sheet, this.#button)
    this.replaceChildren(this.#button, this.#sheet)
  }

  close() {
    this.#sheet.hidePopover()
  }

  /** Where a person left it who walks through the languages by keys. */
  openAtLanguage() {
    this.#sheet.showPopover()
    this.#language.focus()
  }

  #languages() {
    const select = this.#language
    for (const tag of LANGUAGES) {
      const name = new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag
      const option = create('option', { value: tag, lang: tag }, name)
      option.selected = tag === language
      select.append(option)
    }
    select.onchange = async () => {
      const chosen = select.value
      await this.onLanguage(chosen)
      if (select.value === chosen) select.value = language
    }
    return create('label', { class: 'field' }, create('span', {}, t('language')), select)
  }

  #deleteButton() {
    const button = createButton('plain', t('deleteAll'), async () => {
      await clearStorage()
      forgetAll()
      await this.#refresh()
    })
    button.setAttribute('data-testid', 'delete-stored')
    return button
  }

  async #refresh() {
    const { models, usage_bytes } = await readStorage()
    const rows = models.map((model) => row(modelWords(model.name), storedWords(model)))
    this.#kept.replaceChildren(...rows, row(t('allStored'), formatBytes(usage_bytes)))
    this.#showModels(models)
  }

  /** @param {StoredModel[]} models */
  #showModels(models) {
    this.#models.hidden = models.length < 2
    this.#again.hidden = !this.canDoAgain()
    if (models.length < 2 || this.#models.childElementCount > 0) return
    const choice = new ChoiceControl({
      name: 'model',
      label: t('model'),
      choices: [
        ['auto', t('modelAuto')],
        ...models.map(({ name }) => /** @type {[string, string]} */ ([name, modelWords(name)])),
      ],
      onInput: (model) => {
        remember('model', model)
        this.onModel(model)
      },
    })
    this.#models.replaceChildren(
      choice,
      create('p', { class: 'muted' }, t('forNextPhotos')),
      this.#again,
    )
    choice.value = chosenModel()
  }
}

/** @param {StoredModel} model */
function storedWords({ bytes, stored }) {
  return stored ? formatBytes(bytes) : t('notStored', { bytes: formatBytes(bytes) })
}

/**
 * @param {string} name
 * @param {string} size
 */
function row(name, size) {
  return create(
    'li',
    {},
    create('span', { class: 'name' }, name),
    create('span', { class: 'size muted' }, size),
  )
}

customElements.define('gossamer-settings-sheet', SettingsSheet)
