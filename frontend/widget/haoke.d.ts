// Types of Haoke's chat widget for pages that embed it:
//   <script src="https://chat.shop.example/widget.js" data-site="default" async></script>

export interface HaokeUser {
  /** JWT (HS256) signed by the shop's server: sub, name, email, vip, exp. */
  token?: string
  id?: string
  name?: string
  email?: string
  /** HMAC-SHA256 of `id`, hexadecimal, as Chatwoot's `identifier_hash`. */
  hash?: string
}

/** What a page may set before the script runs, as `HaokeSettings` or `data-*`. Cosmetics only. */
export interface HaokeSettings {
  site?: string
  server?: string
  mode?: 'bubble' | 'page'
  open?: boolean
  user?: HaokeUser
  title?: string
  greeting?: string
  hours?: string
  away?: string
  launcher?: string
  color?: string
  side?: 'left' | 'right'
  offsetX?: number
  offsetY?: number
  zIndex?: number
  avatar?: string
  theme?: 'auto' | 'light' | 'dark'
  locale?: string
  hidden?: boolean
  poweredBy?: boolean
  quick?: string[] | string
  consent?: { text: string; url?: string; required?: boolean }
  prechat?: { name: string; label?: string; type?: 'text' | 'email' | 'tel'; required?: boolean }[]
  proactive?: { text: string; after?: number; scroll?: number; path?: string; open?: boolean }[]
  upload?: boolean
  maxUpload?: number
  maxChars?: number
  emoji?: boolean
  sound?: boolean
  rating?: boolean
  human?: boolean
  transcript?: boolean
}

export interface HaokeStatus {
  connection: 'idle' | 'connecting' | 'open' | 'waiting' | 'paused' | 'final'
  mode: 'ai' | 'human' | 'waiting' | 'offline'
  open: boolean
  unread: number
}

export interface HaokeEvents {
  ready: void
  open: void
  close: void
  'message:sent': { text: string }
  'message:received': { from: 'ai' | 'operator' | 'system'; text: string; seq: number }
  'stream:start': void
  'stream:end': void
  unread: number
  status: HaokeStatus
  'handoff:requested': void
  'handoff:joined': void
  'handoff:ended': void
  rating: { seq: number; score: number; comment?: string }
  'offline:submitted': { name: string; email: string; message: string }
  'prechat:submitted': Record<string, string>
  sound: void
  error: { code: string; message: string }
}

export interface HaokeApi {
  readonly version: string
  open(): void
  close(): void
  toggle(): void
  /** Shows or hides the bubble. */
  show(): void
  hide(): void
  popout(): void
  newConversation(): void
  /** Opens the panel with a text in the box. */
  prefill(text: string): void
  /** Opens the panel and sends; false when it cannot be taken now. */
  send(text: string): boolean
  setUser(user: HaokeUser): void
  /** Merges; null removes one. Operators read it, the model never does. */
  setAttributes(attributes: Record<string, unknown>): void
  setContext(attributes: Record<string, unknown>): void
  track(event: string, data?: unknown): void
  tag(tag: string): void
  untag(tag: string): void
  setLocale(locale: string): void
  setTheme(theme: 'auto' | 'light' | 'dark'): void
  configure(settings: HaokeSettings): void
  reset(): void
  shutdown(): void
  getStatus(): HaokeStatus
  getUnread(): number
  isOpen(): boolean
  /** Returns the function that ends the subscription. Every event is also a `haoke:NAME` event of window. */
  on<E extends keyof HaokeEvents>(event: E, fn: (data: HaokeEvents[E]) => void): () => void
  /** `['method', ...arguments]` or a function that gets the object. */
  push(call: HaokeCall): void
}

export type HaokeCall = ((haoke: HaokeApi) => void) | [keyof HaokeApi, ...unknown[]]

declare global {
  interface Window {
    /** An array of calls before the script has loaded, the object after. */
    Haoke?: HaokeApi | HaokeCall[]
    HaokeSettings?: HaokeSettings
  }
}
