/** A peer behind the same two calls as `window.gossamer`, so that one bench measures both. */

import { preload, removeBackground } from '@imgly/background-removal'

const publicPath = new URL('data/', location.href).href

/** @param {'small' | 'medium'} model */
const configOf = (model) => ({ publicPath, model })

globalThis.gossamer = {
  /** @param {{ model: 'small' | 'medium' }} options */
  preload: ({ model }) => preload(configOf(model)),
  /**
   * @param {File} file
   * @param {{ model: 'small' | 'medium' }} options
   */
  async removeBackground(file, { model }) {
    return { blob: await removeBackground(file, configOf(model)), timings: {} }
  },
}
