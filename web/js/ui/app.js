/** The whole window: header, stage, film strip, and the queue behind them. */

import * as gossamer from '../gossamer.js'
import { keepEngine, registerServiceWorker } from '../service-worker-client.js'
import { create, setText } from './dom.js'
import { EmptyState } from './empty-state.js'
import { FilmStrip } from './film-strip.js'
import { NoticeBar } from './notice-bar.js'
import { OfflineState } from './offline-state.js'
import { PhotoIntake } from './photo-intake.js'
import { PhotoStage } from './photo-stage.js'
import { PhotoQueue } from './queue.js'
import { RequestList } from './request-list.js'
import { strings } from './strings.js'
import { ThemeSwitch } from './theme-switch.js'
import { WorkBar } from './work-bar.js'

/** @typedef {import('./queue.js').Photo} Photo */
/** @typedef {{ original: string, result: string | null }} ObjectUrls */

export class GossamerApp extends HTMLElement {
  #queue = new PhotoQueue(gossamer.removeBackground, {
    onChange: (photo) => this.#changed(photo),
    onPreview: (photo, preview) => this.#stage.drawPreview(photo, preview),
  })
  /** @type {Map<Photo, ObjectUrls>} revoked when the photo is removed */
  #urls = new Map()
  /** @type {Photo | null} */
  #selected = null

  #offline = new OfflineState()
  #intake = new PhotoIntake()
  #empty = new EmptyState()
  #strip = new FilmStrip()
  #stage = new PhotoStage()
  #workBar = new WorkBar()
  #updateNotice = new NoticeBar()
  #note = new NoticeBar()
  #announcer = create('p', { class: 'visually-hidden', role: 'status' })
  #workspace = create('div', { class: 'workspace', hidden: true })
  #main = create('main', { 'data-testid': 'drop' })
  #listening = new AbortController()

  connectedCallback() {
    this.#workspace.replaceChildren(this.#stage, this.#workBar, this.#strip)
    this.#main.replaceChildren(this.#empty, this.#workspace, this.#intake)
    this.replaceChildren(
      create(
        'header',
        {},
        create('h1', { class: 'large' }, strings.appName),
        this.#offline,
        new RequestList(),
        new ThemeSwitch(),
      ),
      this.#main,
      create('div', { class: 'notices' }, this.#updateNotice, this.#note),
      this.#announcer,
    )
    this.#updateNotice.setAttribute('data-testid', 'update')
    this.#connectParts()
    this.#listening = new AbortController()
    const { signal } = this.#listening
    window.addEventListener('keydown', (event) => this.#keyPressed(event), { signal })
    window.addEventListener('keyup', () => this.#stage.showOriginal(false), { signal })
    window.addEventListener('blur', () => this.#stage.showOriginal(false), { signal })
    this.#startServices()
  }

  disconnectedCallback() {
    this.#listening.abort()
  }

  #connectParts() {
    this.#intake.onFiles = (files) => this.#add(files)
    this.#intake.onNothing = () => this.#note.show(strings.nothingToAdd)
    this.#empty.onChoose = this.#strip.onAdd = () => this.#intake.choose()
    this.#strip.onSelect = (photo) => this.#select(photo)
    this.#strip.onRemove = this.#stage.onRemove = (photo) => this.#remove(photo)
    this.#stage.onRetry = (photo) => {
      this.#queue.retry(photo)
      this.#strip.focusPhoto(photo)
    }
    this.#stage.onPress = this.#workBar.onHoldOriginal = (on) => this.#stage.showOriginal(on)
    this.#workBar.onCopy = (photo) => this.#copy(photo)
  }

  #startServices() {
    const pageKept = new Promise((resolve) => {
      registerServiceWorker({
        onUpdate: (apply) =>
          this.#updateNotice.show(strings.updateReady, { label: strings.reload, run: apply }),
        onOfflineReady: () => resolve(null),
        isBusy: () => this.#queue.photos.length > 0, // a reload would lose them
      })
    })
    gossamer.onNotice((notice) => this.#note.show(notice))
    afterFirstPaint(async () => {
      try {
        const { backend } = await gossamer.preload({
          onProgress: (report) => this.#queue.reportPreload(report),
        })
        await pageKept
        await keepEngine(backend)
      } catch {
        return // a photo that needs what failed tells about it, in its place
      }
      this.#offline.markReady()
    })
  }

  /** @param {File[]} files */
  #add(files) {
    const hadFocus = this.#empty.contains(document.activeElement)
    const photos = this.#queue.add(files)
    for (const photo of photos) {
      this.#urls.set(photo, { original: URL.createObjectURL(photo.file), result: null })
      this.#strip.addPhoto(photo)
    }
    const [first] = photos
    if (!first) return
    this.#empty.hidden = true
    this.#workspace.hidden = false
    this.#select(first)
    if (hadFocus) this.#strip.focusPhoto(first)
  }

  /** @param {Photo | null} photo */
  #select(photo) {
    this.#selected = photo
    this.#strip.setSelected(photo)
    this.#stage.show(photo, (photo && this.#urls.get(photo)?.original) ?? '')
    if (photo) this.#workBar.update(photo, this.#urls.get(photo)?.result ?? null)
  }

  /** @param {Photo} photo */
  #remove(photo) {
    const { photos } = this.#queue
    const index = photos.indexOf(photo)
    const neighbour = photos[index + 1] ?? photos[index - 1] ?? null
    this.#queue.remove(photo)
    this.#strip.removePhoto(photo)
    if (photo === this.#selected) this.#select(neighbour)
    const urls = this.#urls.get(photo)
    this.#urls.delete(photo)
    if (urls) URL.revokeObjectURL(urls.original)
    if (urls?.result) URL.revokeObjectURL(urls.result)
    if (neighbour) return this.#strip.focusPhoto(neighbour)
    this.#workspace.hidden = true
    this.#empty.hidden = false
    this.#empty.focusButton()
  }

  /** @param {Photo} photo after a change of its state or progress */
  #changed(photo) {
    const urls = this.#urls.get(photo)
    if (!urls) return // on its way in or out
    if (photo.result && !urls.result) {
      urls.result = URL.createObjectURL(photo.result.blob)
      setText(this.#announcer, strings.readyToSave(photo.name))
      this.#offline.refresh()
      keepEngine(photo.result.backend).catch(() => {}) // another one, where the first has failed
    }
    this.#strip.update(photo)
    if (photo !== this.#selected) return
    this.#stage.update(photo)
    this.#workBar.update(photo, urls.result)
    if (photo.progress) setText(this.#announcer, strings.stageWords(photo.progress.stage, 0, 0))
  }

  /** @param {Photo} photo */
  async #copy(photo) {
    if (!photo.result) return
    try {
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': photo.result.blob })])
      this.#workBar.confirmCopy()
      setText(this.#announcer, strings.copied)
    } catch {
      this.#note.show(strings.copyFailed)
    }
  }

  /** @param {KeyboardEvent} event */
  #keyPressed({ key, ctrlKey, metaKey, altKey }) {
    if (key.toLowerCase() !== 'o' || ctrlKey || metaKey || altKey) return
    this.#stage.showOriginal(true)
  }
}

/** @param {() => void} run */
function afterFirstPaint(run) {
  requestAnimationFrame(() => setTimeout(run))
}

Object.assign(window, { gossamer })
customElements.define('gossamer-app', GossamerApp)
