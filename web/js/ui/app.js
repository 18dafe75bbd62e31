/** The whole window: header, stage, film strip, panel, and the visit that they show. */

import { askToKeep } from '../device-storage.js'
import * as gossamer from '../gossamer.js'
import { keepEngine } from '../service-worker-client.js'
import { Announcer } from './announcer.js'
import { create } from './dom.js'
import { addStroke, isComposed, redo, setOutput, setRefine, undo, useForAll } from './edits.js'
import { EmptyState } from './empty-state.js'
import { FilmStrip } from './film-strip.js'
import { Narrator } from './narrator.js'
import { OfflineState } from './offline-state.js'
import { PhotoIntake } from './photo-intake.js'
import { hasCutout, PhotoStage } from './photo-stage.js'
import { RequestList } from './request-list.js'
import { copyPhoto } from './saving.js'
import { SettingsSheet } from './settings-sheet.js'
import { listenToKeys } from './shortcuts.js'
import { SidePanel } from './side-panel.js'
import { chooseForGood, errorWords, noticeWords, t } from './strings.js'
import { ThemeSwitch } from './theme-switch.js'
import { saveAllTold, savePhotoTold } from './told-saving.js'
import { WorkBar } from './work-bar.js'

/** @typedef {import('./notice-bar.js').NoticeBar} NoticeBar */
/** @typedef {import('./queue.js').Photo} Photo */
/** @typedef {import('./visit.js').Visit} Visit */

/** Sharp enough while something moves, on any screen. */
const MAX_PREVIEW_PX = 1000

export class GossamerApp extends HTMLElement {
  #visit
  #note
  #updateNotice
  #offline = new OfflineState()
  #intake = new PhotoIntake()
  #empty = new EmptyState()
  #strip = new FilmStrip()
  #stage = new PhotoStage()
  #workBar = new WorkBar()
  #panel = new SidePanel()
  #settings = new SettingsSheet()
  #announcer = new Announcer()
  #narrator = new Narrator(this.#announcer)
  #workspace = create('div', { class: 'workspace', hidden: true })
  #main = create('main', { 'data-testid': 'drop' })
  #listening = new AbortController()

  /**
   * @param {{ visit: Visit, note: NoticeBar, updateNotice: NoticeBar }} lasting what a window in
   *   another language takes over: what is being saved goes on, and is told
   */
  constructor({ visit, note, updateNotice }) {
    super()
    this.#visit = visit
    this.#note = note
    this.#updateNotice = updateNotice
  }

  connectedCallback() {
    this.#workspace.replaceChildren(this.#stage, this.#workBar, this.#strip, this.#panel)
    this.#main.replaceChildren(this.#empty, this.#workspace, this.#intake)
    this.replaceChildren(
      create(
        'header',
        {},
        create('h1', { class: 'large' }, t('appName')),
        this.#offline,
        new RequestList(),
        new ThemeSwitch(),
        this.#settings,
      ),
      this.#main,
      create('div', { class: 'notices' }, this.#updateNotice, this.#note),
      this.#announcer.element,
    )
    this.#connectParts()
    this.#connectPanel()
    this.#listening = new AbortController()
    const { signal } = this.#listening
    const endNotices = gossamer.onNotice((notice) => this.#note.show(() => noticeWords(notice)))
    signal.addEventListener('abort', endNotices)
    listenToKeys({ stage: this.#stage, go: (way) => this.#go(way) }, signal)
    const beginAgain = () => this.#visit.queue.restartBlameless()
    window.addEventListener('online', beginAgain, { signal }) // perhaps nobody sits before it
    this.#showVisit()
  }

  disconnectedCallback() {
    this.#listening.abort()
  }

  /** Whether this device keeps what the app needs, as far as the visit knows. */
  showKept() {
    if (this.#visit.kept === 'ready') this.#offline.markReady()
    if (this.#visit.kept === 'refused') this.#offline.markRefused()
    if (this.#visit.kept === 'deleted') this.#offline.markDeleted()
  }

  /** @param {{ files: File[], isComplete: boolean }} shared by another app */
  addShared({ files, isComplete }) {
    if (files.length > 0) this.#add(files)
    if (!isComplete) this.#note.showError(() => t('sharedIncomplete'))
  }

  /** @param {string} words */
  announce(words) {
    this.#announcer.announce(words)
  }

  #connectParts() {
    for (const bar of [this.#note, this.#updateNotice]) bar.onFocusLost = () => this.#focusWork()
    this.#intake.onFiles = (files) => this.#add(files)
    this.#intake.onNothing = () => this.#note.showError(() => t('nothingToAdd'))
    this.#empty.onChoose = this.#strip.onAdd = () => this.#intake.choose()
    this.#empty.onCamera = () => this.#intake.takePhoto()
    this.#strip.onSelect = (photo) => this.#select(photo)
    this.#strip.onRemove = this.#stage.onRemove = (photo) => this.#remove(photo)
    this.#stage.onRetry = (photo) => this.#restart(photo)
    this.#stage.onStroke = (photo, stroke) => this.#edit(photo, (edits) => addStroke(edits, stroke))
    this.#stage.onOriginal = (on) => this.#workBar.showOriginal(on)
    this.#workBar.onOriginal = (on) => this.#stage.showOriginal(on)
    this.#workBar.onStop = (photo) => this.#visit.queue.stop(photo)
    this.#workBar.onRestart = (photo) => this.#visit.restart(photo)
    this.#workBar.onSave = (photo) => savePhotoTold(this.#visit, this.#note, photo)
    this.#workBar.onSaveAll = () => saveAllTold(this.#visit, this.#note)
    this.#settings.onLanguage = (language) => this.#speak(language)
    this.#settings.onModel = (model) => {
      this.#visit.queue.model = model
    }
    this.#settings.canDoAgain = () => this.#visit.selected?.state === 'done'
    this.#settings.onAgain = () => this.#visit.selected && this.#restart(this.#visit.selected)
  }

  #connectPanel() {
    const { edges, background, touchUp, file } = this.#panel
    const edit = this.#editSelected.bind(this)
    edges.onChange = (options) => edit((edits) => setRefine(edits, options))
    edges.onUseForAll = () => this.#useForAll()
    background.onChange = (options) => {
      touchUp.choose('off') // who paints does not see what is chosen here
      edit((edits) => setOutput(edits, options))
    }
    background.onPicture = (picture) => this.#standOn(picture)
    file.onChange = (options) => edit((edits) => setOutput(edits, options))
    file.onCopy = () => this.#copy()
    touchUp.onBrush = (brush) => this.#paintWith(brush)
    touchUp.onPick = ({ x, y }) => edit((edits) => addStroke(edits, { subject: [x, y] }))
    touchUp.onPoint = (subject) => this.#stage.pointAt(subject)
    touchUp.onUndo = () => this.#go(undo)
    touchUp.onRedo = () => this.#go(redo)
    this.#panel.onOpen = (part) => touchUp.choose(part === 'touch-up' ? 'keep' : 'off')
  }

  /** Everything as the visit has it, which may be older than this window. */
  #showVisit() {
    this.#visit.events = {
      onChange: (photo) => this.#changed(photo),
      onPreview: (...shown) => this.#stage.drawPreview(...shown),
      onPutBack: (photo, index) => this.#putBack(photo, index),
      onError: (words) => this.#note.showError(words),
    }
    this.#visit.editor.isPainting = false // as this window's brushes are
    for (const photo of this.#visit.queue.photos) this.#strip.addPhoto(photo)
    this.showKept()
    if (this.#visit.selected) this.#select(this.#visit.selected)
    this.#showWorkspace()
  }

  #showWorkspace() {
    const isEmpty = this.#visit.queue.photos.length === 0
    this.#empty.hidden = !isEmpty
    this.#workspace.hidden = isEmpty
  }

  /** @param {File[]} files */
  #add(files) {
    const hadFocus = this.#empty.contains(document.activeElement)
    const photos = this.#visit.add(files)
    for (const photo of photos) this.#strip.addPhoto(photo)
    const [first] = photos
    if (!first) return
    this.#showWorkspace()
    this.#select(first)
    if (hadFocus) this.#focusPhoto(first)
  }

  /** @param {Photo | null} photo */
  #select(photo) {
    this.#strip.setSelected(photo)
    this.#narrator.forget()
    this.#stage.show(photo, photo ? this.#visit.urlOf(photo) : '', this.#strip.cutoutOf(photo))
    this.#draw(photo)
  }

  /** @param {Photo | null} photo the one on the stage, whose cut-out may have to be made again */
  #draw(photo) {
    const { editor } = this.#visit
    if (photo) editor.preview_px = previewSize(this.#stage, photo)
    this.#visit.select(photo, photo !== null && hasCutout(photo, editor.isPainting))
    if (photo) this.#changed(photo)
  }

  /** @param {Photo} photo */
  #restart(photo) {
    this.#visit.restart(photo)
    this.#focusPhoto(photo)
  }

  /** @param {Photo} photo */
  #remove(photo) {
    const wasSelected = photo === this.#visit.selected
    const { neighbour, putBack } = this.#visit.remove(photo)
    const undo = { label: () => t('undo'), run: putBack }
    this.#note.show(() => t('removed', { name: photo.name }), undo)
    this.#strip.removePhoto(photo)
    if (wasSelected) this.#select(neighbour)
    else if (this.#visit.selected) this.#changed(this.#visit.selected)
    this.#showWorkspace()
    if (neighbour) this.#focusPhoto(neighbour)
    else this.#focusWork()
  }

  /** @param {Photo} photo where the strip shows it, which an open sheet hides */
  #focusPhoto(photo) {
    this.#strip.focusPhoto(photo)
    if (!this.#strip.contains(document.activeElement)) this.#focusWork()
  }

  /** For whoever had the focus on something that is gone. */
  #focusWork() {
    if (this.#workspace.hidden) this.#empty.focusButton()
    else this.#stage.focus({ preventScroll: true })
  }

  /**
   * @param {Photo} photo that was removed
   * @param {number} index its place among the photos
   */
  #putBack(photo, index) {
    this.#strip.addPhoto(photo, index)
    this.#showWorkspace()
    this.#select(photo)
    this.#focusPhoto(photo)
    this.#note.show(() => t('putBack', { name: photo.name }))
  }

  /** @param {Photo} photo after a change of its state, progress or file */
  #changed(photo) {
    const isNews = this.#strip.update(photo)
    const { selected, finished } = this.#visit
    if (isNews && photo.state === 'done') {
      this.#offline.refresh()
      // Another one than at the start, where that has failed.
      if (photo.engine) keepEngine(photo.engine).catch(() => {})
      askToKeep()
    }
    if (isNews) this.#narrator.tellNews(photo, photo === selected)
    if (isNews && selected) this.#workBar.update(selected, finished.length)
    if (photo !== selected) return
    this.#visit.editor.preview_px = previewSize(this.#stage, photo)
    this.#stage.update(photo)
    this.#workBar.update(photo, finished.length)
    this.#panel.show(photo, this.#visit.queue.photos.length)
    this.#narrator.tellProgress(photo)
  }

  /**
   * @param {Photo} photo
   * @param {(edits: import('./edits.js').Edits) => void} change
   */
  #edit(photo, change) {
    change(photo.edits)
    this.#visit.editor.preview_px = previewSize(this.#stage, photo)
    this.#visit.edited(photo)
    this.#changed(photo)
  }

  /** @param {(edits: import('./edits.js').Edits) => void} change */
  #editSelected(change) {
    const { selected } = this.#visit
    if (selected) this.#edit(selected, change)
  }

  /**
   * @param {typeof undo | typeof redo} way
   * @returns {boolean} whether there is a photo to be changed
   */
  #go(way) {
    const { selected } = this.#visit
    if (!selected) return false
    const { output } = selected.edits
    this.#edit(selected, way)
    const { output: other } = selected.edits
    // Who paints would not see it.
    if (other !== output && (isComposed(other) || isComposed(output))) {
      this.#panel.touchUp.choose('off')
    }
    return true
  }

  /** The edges, background and format of this photo for all the others. */
  #useForAll() {
    const { selected, queue } = this.#visit
    if (!selected) return
    const all = queue.photos.map(({ edits }) => edits)
    const takeBack = useForAll(selected.edits, all)
    this.#visit.edited(selected)
    const undo = { label: () => t('undo'), run: () => this.#takeBack(takeBack) }
    this.#note.show(() => t('usedForAll'), undo)
  }

  /** @param {() => void} run changes photos, among them perhaps the one that is looked at */
  #takeBack(run) {
    run()
    const { selected, events } = this.#visit
    if (selected) {
      this.#visit.edited(selected)
      events.onChange(selected) // of the window that is there now
    }
    this.#note.show(() => t('tookBack'))
  }

  /** @param {File} picture that was picked, whatever it is */
  async #standOn(picture) {
    try {
      await gossamer.requireWhole(picture)
      this.#panel.background.onChange({ background: picture })
    } catch (error) {
      this.#note.showError(() => errorWords(error, picture.name))
    }
  }

  /** @param {import('./brush-layer.js').Brush | null} brush null when nobody paints any more */
  #paintWith(brush) {
    this.#stage.brush = brush
    const { editor, selected } = this.#visit
    if (editor.isPainting === Boolean(brush)) return
    editor.isPainting = Boolean(brush)
    if (!selected || !isComposed(selected.edits.output)) return
    this.#stage.redraw(selected)
    this.#draw(selected)
  }

  #copy() {
    const { editor, selected } = this.#visit
    if (!selected) return
    copyPhoto(editor, selected).then(
      () => {
        this.#panel.file.confirmCopy()
        this.announce(t('copied'))
      },
      () => this.#note.showError(() => t('copyFailed')),
    )
  }

  /** @param {string} language */
  async #speak(language) {
    try {
      if (!(await chooseForGood(language))) return
    } catch {
      this.#settings.close() // in a narrow window it covers what is told
      return this.#note.showError(() => t('languageFailed'))
    }
    const successor = new GossamerApp({
      visit: this.#visit,
      note: this.#note,
      updateNotice: this.#updateNotice,
    })
    this.replaceWith(successor)
    successor.#settings.openAtLanguage()
  }
}

/**
 * In steps, so that a window that is resized a little needs no new copy.
 * @param {PhotoStage} stage
 * @param {Photo} photo
 */
function previewSize(stage, { size }) {
  if (!size) return MAX_PREVIEW_PX // nobody knows yet
  return Math.min(MAX_PREVIEW_PX, 100 * Math.ceil(stage.fitted_px(size) / 100))
}

customElements.define('gossamer-app', GossamerApp)
