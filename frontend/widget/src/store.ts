import { enc, parse } from './safe'

/** What one site's widget remembers in the browser. */
export interface Saved {
  /** visitor token, epoch and conversation of the latest welcome */
  t?: string
  e?: string
  c?: string
  /** seq of the last message that was read */
  r?: number
  /** seq of the last message */
  q?: number
  /** muted */
  m?: boolean
  /** consent given */
  k?: boolean
  /** pre-chat answers */
  p?: Record<string, string>
  /** seq that some tab has rung for */
  s?: number
}

/** A message that the server has not acknowledged. */
export interface Pending {
  id: string
  x: string
}

/**
 * Storage that never throws and writes nothing before `unlock`: a visitor who
 * does not touch the widget leaves no trace. Where storage is refused it keeps
 * everything in memory. Keys: `haoke:SITE` (shared by tabs), `haoke:SITE:o`
 * (outbox, shared), and in sessionStorage `haoke:SITE:d` (draft) and
 * `haoke:SITE:w` (panel open in this tab).
 */
export class Store {
  readonly key: string
  saved: Saved = {}
  outbox: Pending[] = []
  private open = false

  constructor(site: string) {
    this.key = 'haoke:' + site
    this.reload()
    const o = this.read(0, ':o')
    if (Array.isArray(o)) {
      for (let i = 0; i < o.length && i < 200; i++) {
        if (typeof o[i]?.id === 'string' && typeof o[i].x === 'string') this.outbox[this.outbox.length] = o[i]
      }
    }
    this.open = !!this.saved.t
  }

  /** Reads what other tabs may have written. */
  reload(): Saved {
    const s = this.read(0, '')
    if (s && typeof s === 'object') this.saved = s
    return this.saved
  }

  /** Permits writing: the visitor has used the widget. */
  unlock() {
    this.open = true
  }

  /** Merges `part` into what is saved. */
  save(part: Saved) {
    this.reload()
    for (const k in part) (this.saved as any)[k] = (part as any)[k]
    this.write(0, '', this.saved)
  }

  add(p: Pending) {
    this.outbox[this.outbox.length] = p
    this.write(0, ':o', this.outbox)
  }

  remove(id: string) {
    const left: Pending[] = []
    for (let i = 0; i < this.outbox.length; i++) {
      if (this.outbox[i].id !== id) left[left.length] = this.outbox[i]
    }
    this.outbox = left
    this.write(0, ':o', left)
  }

  /** A value of this tab only. */
  tab(k: string, v?: unknown): any {
    if (v === undefined) return this.read(1, k)
    this.write(1, k, v)
  }

  private area(session: number): Storage {
    return session ? sessionStorage : localStorage
  }

  private read(session: number, k: string): any {
    try {
      return parse(this.area(session).getItem(this.key + k) || 'null')
    } catch {
      return null
    }
  }

  private write(session: number, k: string, v: unknown) {
    if (!this.open) return
    try {
      this.area(session).setItem(this.key + k, enc(v))
    } catch {
      /* refused or full: memory has it */
    }
  }
}
