import type { App } from './app'
import { read, type Identity } from './settings'

declare const __V__: string

const text = (v: unknown) => String(v == null ? '' : v).slice(0, 16000)

/** The page's handle, `window.Haoke`, and what was queued before it existed. */
export function api(app: App, queue: unknown) {
  const view = app.view
  const o = {
    version: __V__,
    open: () => view.open(),
    close: () => view.close(),
    toggle: () => (view.isOpen ? view.close() : view.open()),
    show: () => app.configure({ hidden: false }),
    hide: () => {
      view.close()
      app.configure({ hidden: true })
    },
    popout: () => window.open(app.base + 'chat?site=' + encodeURIComponent(app.name), 'haoke', 'width=420,height=680'),
    newConversation: () => app.fresh(),
    prefill: (t: string) => {
      view.open()
      view.fill(text(t))
    },
    send: (t: string) => {
      const s = text(t).trim()
      if (!s) return false
      view.open()
      return app.say(s)
    },
    setUser: (u: Identity) => {
      app.user = { ...app.user, ...u }
      app.again()
    },
    setAttributes: (a: Record<string, unknown>) => {
      app.context = { ...app.context, ...a }
      app.pushContext()
    },
    setContext: (a: Record<string, unknown>) => o.setAttributes(a),
    track: (name: string, data?: unknown) => app.pushContext({ name: text(name).slice(0, 100), data }),
    tag: (t: string) => {
      o.untag(t)
      app.tags[app.tags.length] = text(t).slice(0, 60)
      app.pushContext()
    },
    untag: (t: string) => {
      const left: string[] = []
      for (let i = 0; i < app.tags.length; i++) if (app.tags[i] !== t) left[left.length] = app.tags[i]
      app.tags = left
    },
    setLocale: (locale: string) => app.configure(read({ locale })),
    setTheme: (theme: string) => app.configure(read({ theme })),
    configure: (s: unknown) => app.configure(read(s)),
    reset: () => app.fresh(),
    shutdown: () => {
      app.shutdown()
      window.Haoke = undefined
    },
    getStatus: () => app.status_(),
    getUnread: () => app.unread,
    isOpen: () => view.isOpen,
    on: (event: string, fn: (...a: any[]) => void) => app.on(event, fn),
    push: (...calls: unknown[]) => {
      for (let i = 0; i < calls.length; i++) run(calls[i])
    },
  }
  const run = (c: any) => {
    if (typeof c === 'function') return c(o)
    const f = c && (o as any)[c[0]]
    if (typeof f === 'function') f(c[1], c[2])
  }
  // Queued calls run when the caller has the object in hand.
  if (Array.isArray(queue)) app.on('ready', () => { for (let i = 0; i < queue.length; i++) run(queue[i]) })
  return o
}
