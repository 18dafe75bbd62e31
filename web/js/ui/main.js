/** The page's start. */

import { onStorageCleared } from '../device-storage.js'
import * as gossamer from '../gossamer.js'
import { takeSharedPhotos } from '../shared-photos.js'
import { GossamerApp } from './app.js'
import { NoticeBar } from './notice-bar.js'
import { startServices } from './services.js'
import { t } from './strings.js'
import { Visit } from './visit.js'

const visit = new Visit()
const note = new NoticeBar()
const updateNotice = new NoticeBar()
updateNotice.setAttribute('data-testid', 'update')
const app = new GossamerApp({ visit, note, updateNotice })

Object.assign(window, { gossamer })
document.body.replaceChildren(app)
startServices(visit, updateNotice, showKept)
onStorageCleared(() => {
  if (visit.kept !== 'refused') visit.kept = 'deleted'
  showKept()
  shownApp().announce(t('deleted'))
})
takeSharedPhotos().then((shared) => app.addShared(shared))

function showKept() {
  shownApp().showKept()
}

function shownApp() {
  const shown = document.querySelector('gossamer-app') // another one, in another language
  return shown instanceof GossamerApp ? shown : app
}
