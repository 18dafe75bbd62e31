/** Small tools for building light DOM. */

import { createIcon } from './icons.js'

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean>} [attributes] true sets an empty attribute, false none
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function create(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'string') element.setAttribute(name, value)
    else element.toggleAttribute(name, value)
  }
  element.append(...children)
  return element
}

/**
 * @param {'plain' | 'primary' | 'quiet'} look
 * @param {string} label
 * @param {(event: MouseEvent) => void} onClick
 * @returns {HTMLButtonElement}
 */
export function createButton(look, label, onClick) {
  const button = create('button', { type: 'button', class: `button ${look}` }, label)
  button.addEventListener('click', onClick)
  return button
}

/**
 * A square button of an icon alone.
 * @param {import('./icons.js').IconName} icon
 * @param {string} label read aloud and shown as a tooltip
 * @param {() => void} onClick
 * @returns {HTMLButtonElement}
 */
export function createIconButton(icon, label, onClick) {
  const button = createButton('quiet', '', onClick)
  button.classList.add('icon-only')
  setLabel(button, label)
  button.append(createIcon(icon))
  return button
}

/**
 * @param {HTMLElement} element
 * @param {string} label
 */
export function setLabel(element, label) {
  element.setAttribute('aria-label', label)
  element.title = label
}

/**
 * A sheet that covers what the focus goes on to is in the way.
 * @param {HTMLElement} sheet a popover
 * @param {HTMLElement} opener
 */
export function closeWithFocus(sheet, opener) {
  sheet.addEventListener('focusout', ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node) || relatedTarget === opener) return
    if (!sheet.contains(relatedTarget)) sheet.hidePopover()
  })
}

/**
 * Writes only what differs: a live region speaks again whenever its text is replaced.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}
