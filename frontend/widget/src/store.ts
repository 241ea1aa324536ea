import { enc, parse } from './safe'

/** What one site's widget remembers in the browser, shared by all tabs. */
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

/** A message that the server has not acknowledged. `f`: why it was refused. */
export interface Out {
  id: string
  x: string
  f?: string
  /** It is on its way over the present connection. */
  go?: boolean
}

/** Most messages that wait to be sent; more are not taken. */
export const MAX_OUT = 200

export type Store = ReturnType<typeof openStore>

/**
 * Storage that never throws and writes nothing before `unlock`: a visitor who
 * does not touch the widget leaves no trace. Where storage is refused,
 * everything stays in memory. Keys: `haoke:SITE` and `haoke:SITE:o` (outbox)
 * for all tabs, `haoke:SITE:d` (draft) and `haoke:SITE:w` (panel open) for one.
 */
export function openStore(site: string) {
  const key = 'haoke:' + site
  let open = false
  const area = (tab?: boolean) => (tab ? sessionStorage : localStorage)
  const read = (k: string, tab?: boolean) => {
    try {
      return parse(area(tab).getItem(key + k) || '0')
    } catch {
      return 0
    }
  }
  const write = (k: string, v: unknown, tab?: boolean) => {
    try {
      if (open) area(tab).setItem(key + k, enc(v))
    } catch {
      /* refused or full: memory has it */
    }
  }
  // In the order of sending; a Map keeps it and finds by id.
  const outs = new Map<string, Out>()
  const waiting = (fn: (o: Out) => void) => {
    const kept = read(':o')
    for (let i = 0; kept && i < kept.length; i++) {
      const { id, x } = kept[i] || {}
      if (typeof id == 'string' && typeof x == 'string') fn({ id, x })
    }
  }
  waiting(o => outs.size < MAX_OUT && outs.set(o.id, o))
  const me = {
    key,
    saved: {} as Saved,
    outs,
    /** Permits writing: the visitor has used the widget. */
    unlock() {
      open = true
    },
    /** Reads what other tabs may have written. */
    reload(): Saved {
      const s = read('')
      return (me.saved = s && typeof s == 'object' ? s : me.saved)
    },
    /** Merges `part` into what is saved. */
    save(part: Saved) {
      write('', Object.assign(me.reload(), part))
    },
    /** Remembers a message on its way, or forgets it; those of other tabs stay. */
    out(o: Out, gone?: boolean) {
      const all: Out[] = []
      if (gone ? outs.delete(o.id) : outs.set(o.id, o)) {
        waiting(k => k.id != o.id && (all[all.length] = k))
        if (!gone) all[all.length] = { id: o.id, x: o.x }
        write(':o', all)
      }
    },
    /** A value of this tab only; without `v` it is read. */
    tab(k: string, v?: unknown): any {
      return v === undefined ? read(k, true) : write(k, v, true)
    },
  }
  open = !!me.reload().t
  return me
}
