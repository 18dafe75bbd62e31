import type { Progress } from '../gossamer.js'
import type { GossamerCutout } from './cutout-element.js'

type CutoutEvents = Omit<HTMLElementEventMap, 'error' | 'progress'> & {
  error: ErrorEvent
  progress: CustomEvent<Progress>
}
type Listener<Type extends keyof CutoutEvents> = (
  this: GossamerCutout,
  event: CutoutEvents[Type],
) => unknown

declare global {
  interface HTMLElementTagNameMap {
    'gossamer-cutout': GossamerCutout
  }
}

declare module './cutout-element.js' {
  interface GossamerCutout {
    addEventListener<Type extends keyof CutoutEvents>(
      type: Type,
      listener: Listener<Type>,
      options?: boolean | AddEventListenerOptions,
    ): void
    addEventListener(
      type: string,
      listener: EventListenerOrEventListenerObject,
      options?: boolean | AddEventListenerOptions,
    ): void
    removeEventListener<Type extends keyof CutoutEvents>(
      type: Type,
      listener: Listener<Type>,
      options?: boolean | EventListenerOptions,
    ): void
    removeEventListener(
      type: string,
      listener: EventListenerOrEventListenerObject,
      options?: boolean | EventListenerOptions,
    ): void
  }
}
