/** Every word a person reads in the app. */

/** @typedef {import('./progress.js').StageName} StageName */

/** @type {Record<StageName, string>} */
const STAGE_WORDS = {
  model: 'Getting ready',
  decode: 'Opening the photo',
  preprocess: 'Opening the photo',
  infer: 'Finding the subject',
  refine: 'Refining edges',
  encode: 'Writing the picture',
}

export const strings = {
  appName: 'Gossamer',

  dropLine: 'Drop a photo to remove its background',
  choosePhotos: 'Choose photos',
  privacyLine: 'They stay on this device',
  dropHere: 'Drop to add',
  nothingToAdd: 'There was no picture file in that. Drop or paste a photo.',

  photos: 'Photos',
  stageLabel: 'Photo',
  add: 'Add',
  addPhotos: 'Add photos',
  remove: 'Remove',
  /** @param {string} name */
  removePhoto: (name) => `Remove ${name}`,
  tryAgain: 'Try again',
  photoStates: {
    waiting: 'waiting',
    working: 'at work',
    done: 'done',
    failed: 'failed',
  },
  /** @param {string} name @param {string} state */
  photoLabel: (name, state) => `${name}, ${state}`,
  waitingItsTurn: 'Waiting for its turn',
  notFinished: 'Not finished',

  original: 'Original',
  originalHint: 'Hold this, the picture or the O key to see the original',
  originalAlt: /** @param {string} name */ (name) => `Original photo ${name}`,
  cutoutAlt: /** @param {string} name */ (name) => `${name} with its background removed`,
  savePng: 'Save PNG',
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'The browser did not allow copying. Save the picture instead.',
  /** @param {string} stem */
  cutoutFileName: (stem) => `${stem}-cutout.png`,
  /** @param {number} height @param {number} width @param {number} bytes */
  resultFacts: (height, width, bytes) => `${width} × ${height} px, ${formatBytes(bytes)}`,
  /** @param {string} name */
  readyToSave: (name) => `The cut-out of ${name} is ready`,
  /** @param {string} name */
  cannotShow: (name) =>
    `${name} is cut out, but there is too little memory to show it here. Save it and open the file.`,
  /** @param {string} name @param {string} reason */
  unexpected: (name, reason) => `${name} could not be finished (${reason}). Try it again.`,

  progressLabel: 'Progress',
  /**
   * @param {StageName} stage
   * @param {number} doneBytes only read for the model download
   * @param {number} totalBytes 0 when nothing is being downloaded
   */
  stageWords: (stage, doneBytes, totalBytes) =>
    stage === 'model' && totalBytes > 0
      ? `${STAGE_WORDS.model}, ${formatBytes(doneBytes, totalBytes)} of ${formatBytes(totalBytes)}`
      : STAGE_WORDS[stage],

  readyOffline: 'Ready offline',
  /** @param {number} bytes */
  kept: (bytes) => `${formatBytes(bytes)} kept`,

  nothingLeft: 'Nothing left this device',
  askedElsewhere: 'Other addresses were asked',
  requestsTitle: 'What this page fetched',
  /** @param {string} host */
  requestsAllFrom: (host) =>
    `All of it came from ${host}. The page's security rules stop it from reaching any other address.`,
  /** @param {string} hosts */
  requestsElsewhere: (hosts) => `Some of it came from ${hosts}.`,
  requestsNotListed: 'For use without a network, the same files were fetched once more and kept.',
  thisPage: 'this page',
  enginesTitle: 'What finds the subject',
  engineStates: {
    /** @param {number} run_ms */
    passed: (run_ms) => `right on this device, ${(run_ms / 1000).toFixed(1)} s`,
    untried: () => 'not needed so far',
  },
  testEnginesAgain: 'Test again',
  close: 'Close',

  /** @type {Record<import('./theme-switch.js').Theme, string>} */
  themes: {
    system: 'Colours follow the system',
    light: 'Light colours',
    dark: 'Dark colours',
  },

  updateReady: 'A new version is ready',
  reload: 'Reload',
  dismiss: 'Dismiss',
}

/**
 * @param {number} bytes
 * @param {number} scaleBytes decides the unit, so that "0.3 of 4.6 MB" does not change unit midway
 * @returns {string} decimal kB or MB
 */
export function formatBytes(bytes, scaleBytes = bytes) {
  if (scaleBytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`
  const digits = scaleBytes < 1e7 ? 1 : 0
  return `${(bytes / 1e6).toFixed(digits)} MB`
}
