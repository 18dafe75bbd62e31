/** Says what becomes of photos to those who do not see it. */

import { doubtOf, doubtWords } from './doubt.js'
import { errorWords, stageWords, t } from './strings.js'

/** @typedef {import('./queue.js').Photo} Photo */

export class Narrator {
  #announcer
  /** Whose work is being told. @type {Photo | null} */
  #atWork = null

  /** @param {import('./announcer.js').Announcer} announcer */
  constructor(announcer) {
    this.#announcer = announcer
  }

  /** Another photo is on the stage. */
  forget() {
    this.#atWork = null
  }

  /**
   * @param {Photo} photo whose state is another than before
   * @param {boolean} isOnStage where its error is in sight
   */
  tellNews(photo, isOnStage) {
    if (photo === this.#atWork) this.#atWork = null
    if (photo.state === 'done') this.#announcer.announce(doneWords(photo))
    if (photo.state !== 'failed') return
    const { name, error } = photo
    this.#announcer.announce(isOnStage ? errorWords(error, name) : t('notCutOut', { name }))
  }

  /** @param {Photo} photo the one on the stage */
  tellProgress(photo) {
    if (photo.progress) {
      this.#atWork = photo
      this.#announcer.tell(stageWords(photo.progress.stage))
    } else if (photo === this.#atWork) {
      this.#atWork = null
      this.#announcer.announceWhenQuiet(doneWords(photo))
    }
  }
}

/** @param {Photo} photo */
function doneWords(photo) {
  const { name } = photo
  const doubt = doubtOf(photo)
  if (doubt === 'empty') return `${name}: ${t('nothingFound')} ${t('paintToKeep')}`
  return doubt ? `${name}: ${doubtWords(doubt)}` : t('readyToSave', { name })
}
