import type { Convo, Msg } from './convo'
import type { Words } from './lang/en'
import type { Link } from './link'
import type { Marks } from './md'
import type { Identity, PageSettings, Site } from './settings'
import type { Store } from './store'
import type { View } from './view'

/** What the widget's pieces, and the parts that are loaded on use, share. */
export interface App extends Marks {
  readonly base: string
  readonly name: string
  readonly store: Store
  readonly link: Link
  readonly convo: Convo
  readonly view: View
  words: Words
  locale: string
  /** The settings in force: the server's, and over them the page's. */
  site: Site
  mode: string
  unread: number
  /** Who the visitor is, and what the page tells of the visit. */
  user: Identity
  facts?: { attributes: Record<string, unknown>; tags: string[]; untags: string[] }
  /** The comforts, once loaded: dresses a drawn message. */
  dress?: (m: Msg, g: HTMLElement, x: HTMLElement) => void
  /** The comforts, once loaded: a message has come in while nobody looks. */
  ring?: (seq: number) => void
  /** The comforts, once loaded: what is in the box has changed. */
  typed?: (text: string) => void
  /** Tells screen readers of an answer that grows; `whole`: it is complete. */
  speak(text: string, whole?: boolean): void
  /** The comforts, once loaded: the title of the page counts what is unread. */
  titled?: (unread: number) => void
  /** A word that only a part needs; `english` stands in for a missing one. */
  t(key: string, english: string): string
  /** Sends a text of the visitor. False when it cannot be taken now. */
  say(text: string): boolean
  human(): void
  opened(): void
  closed(): void
  /** Connects; before that, asks what the owner wants to be asked. */
  begin(): void
  connect(): void
  settings(server?: unknown): void
  configure(s: PageSettings): void
  /** Forgets the conversation in this browser. */
  forget(): void
  status(): object
  /** Loads a part and runs it. */
  part(name: string, ...args: unknown[]): void
  on(event: string, fn: (...a: any[]) => void): () => void
  emit(event: string, data?: unknown): void
  shutdown(): void
}

/** A lazily loaded part. */
export type Part = (app: App, ...args: any[]) => void
