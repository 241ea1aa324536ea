import { openConvo, type Msg } from './convo'
import { en, type Words } from './lang/en'
import { pick } from './lang/pick'
import { openLink, type Frame } from './link'
import { cancel, later, load } from './safe'
import type { PageSettings, Site } from './settings'
import { openStore } from './store'
import type { App, Part } from './types'
import { createView } from './view'

declare const __V__: string

/** Dots never outlive this. */
const STUCK = 60_000

/** The widget on one page: settings, conversation, line and view together. */
export function createApp(page: PageSettings, base: string): App & { start(): void } {
  const name = String(page.site || 'default')
  const store = openStore(name)
  const handlers: Record<string, Set<(...a: any[]) => void>> = {}
  const parts: Record<string, Promise<Part>> = {}
  const life = new AbortController()
  let server: Site = {}
  let ready = false
  let wantHuman = false
  let dotsEnd: number
  let lineTimer: number
  let askedWith: unknown
  let watch: MutationObserver
  let policy: any

  const link = openLink({
    url: () => base.replace(/^http/, 'ws') + 'v1/chat?site=' + encodeURIComponent(name),
    hello,
    frame,
    changed,
    refused: () => convo.refuse(),
  })
  const convo = openConvo(
    {
      send: f => link.send(f as Frame),
      resync: () => link.kick(),
      put,
      out(o, gone) {
        if (view.list) view.list.out(o, gone)
        if (o.f && !gone) dots(null)
        view.refresh()
      },
      stream(t, fresh) {
        if (view.list) view.list.stream(t)
        if (fresh) app.emit('stream:start')
        if (t == null) app.emit('stream:end')
        else if (t) {
          cancel(dotsEnd)
          if (!view.busy) view.setBusy(true)
        }
      },
      clear() {
        if (view.list) view.list.clear()
        view.setBusy(false)
        seen()
      },
    },
    store,
  )

  const app: App & { start(): void } = {
    base,
    name,
    store,
    link,
    convo,
    view: undefined as any,
    words: en as Words,
    locale: pick(page.locale),
    site: page,
    mode: 'ai',
    unread: 0,
    user: page.user || {},
    // Whole answers, until the comforts read them out sentence by sentence.
    speak: (text, whole) => whole && view.say(text),
    t: (key, english) => app.words[key] || english,
    own: url => (url.indexOf('/v1/files/') ? (url.indexOf(base + 'v1/files/') ? '' : url) : base + url.slice(1)),
    say(text) {
      text = text.trim()
      if (!text || (view.row && view.row.hidden)) return false
      store.unlock()
      if (!convo.say(text)) return false
      link.start()
      app.emit('message:sent', { text })
      if (app.mode == 'ai') later(() => convo.pending() && !convo.streaming() && dots(''), 200)
      view.refresh()
      return true
    },
    human() {
      wantHuman = !link.send({ type: 'human' })
      app.connect()
      app.emit('handoff:requested')
      view.focus()
    },
    opened() {
      language()
      app.part('more')
      app.begin()
      redraw()
      seen()
      app.emit('open')
    },
    closed() {
      store.tab(':w', 0)
      app.emit('close')
    },
    begin() {
      const s = app.site
      const v = store.saved
      const ask = (s.consent && !v.k) || (s.prechat && !v.p && !v.q)
      view.row.hidden = !!ask
      view.refresh()
      if (ask) app.part('forms', 'begin')
      else app.connect()
    },
    connect() {
      store.unlock()
      if (view.isOpen) store.tab(':w', 1)
      else app.part('more')
      link.start()
    },
    settings(from) {
      if (from && typeof from == 'object') server = from
      const locale = pick(page.locale || server.locale)
      const of = (s: Site) => ({ ...s, ...(s.texts || {})[locale] })
      app.site = { ...of(server), ...of(page) }
      if (locale != app.locale) {
        app.locale = locale
        app.words = en as Words
        if (view.isOpen) language()
      }
      view.look()
    },
    configure(s) {
      Object.assign(page, s)
      app.settings()
    },
    forget() {
      store.save({ t: undefined, e: undefined, c: undefined, q: undefined, r: undefined, s: undefined })
      app.mode = 'ai'
      convo.reset()
    },
    status: () => ({ connection: link.state(), mode: app.mode, open: view.isOpen, unread: app.unread }),
    part(name, ...args) {
      fetchPart(name).then(p => p(app, ...args), () => name != 'more' && view.say(app.words.gone))
    },
    on(event, fn) {
      const all = (handlers[event] ??= new Set())
      all.add(fn)
      if (event == 'ready' && ready) later(fn, 0)
      return () => void all.delete(fn)
    },
    emit(event, detail) {
      handlers[event]?.forEach(fn => {
        try {
          fn(detail)
        } catch (e) {
          // A page's handler must not break the chat.
          console.error(e)
        }
      })
      window.dispatchEvent(new CustomEvent('haoke:' + event, { detail }))
    },
    shutdown() {
      link.stop()
      life.abort()
      watch.disconnect()
      setUnread(0)
      view.host.remove()
    },
    start() {
      mount()
      const go = () => {
        if (ready) return
        app.emit('ready')
        ready = true
        if (page.open || page.mode == 'page' || store.tab(':w')) view.open()
        else if (store.saved.q) app.connect()
        if (app.site.proactive) app.part('proactive')
      }
      // The bubble never waits long for its colours.
      later(go, 3_000)
      load(base + 'v1/site?site=' + encodeURIComponent(name), { credentials: 'omit' })
        .then(r => r.json())
        .then(s => app.settings(s))
        .then(go, go)
    },
  }
  const view = createView(app, page.mode == 'page')
  ;(app as any).view = view
  view.look()
  return app

  // ---- page ----

  function mount() {
    const doc = document.documentElement
    // Pages that rebuild their document take the bubble away; it comes back.
    const put = () => view.host.isConnected || document.documentElement.appendChild(view.host)
    put()
    watch = new MutationObserver(put)
    watch.observe(document, { childList: true })
    watch.observe(doc, { childList: true })
    const on = (t: EventTarget, e: string, f: (e: any) => void) => t.addEventListener(e, f, { signal: life.signal })
    on(window, 'online', link.probe)
    // Back from the back-forward cache; at a first load there is no line to probe yet.
    on(window, 'pageshow', link.probe)
    on(document, 'visibilitychange', () => {
      if (document.hidden) return
      link.probe()
      seen()
    })
    on(window, 'storage', stored)
    on(view.dark, 'change', view.look)
  }

  /** Parts are classic scripts that hand themselves over through their element. */
  function fetchPart(file: string): Promise<Part> {
    return (parts[file] ??=
      new Promise((ok, bad) => {
        const s: any = document.createElement('script')
        const url = base + 'assets/' + file + '.js?v=' + __V__
        try {
          // Pages under Trusted Types must allow the policy "haoke".
          policy ??= (window as any).trustedTypes.createPolicy('haoke', { createScriptURL: (u: string) => u })
          s.src = policy.createScriptURL(url)
        } catch {
          s.src = url
        }
        s.haoke = ok
        s.onload = s.onerror = (e: Event) => {
          if (e.type == 'error') delete parts[file]
          s.remove()
          bad() // unless it has handed itself over
        }
        document.head.appendChild(s)
      }))
  }

  function language() {
    const l = app.locale
    if (l != 'en' && app.words == en) {
      fetchPart('l-' + l).then(
        p =>
          p(app, (w: Words) => {
            if (l != app.locale) return
            app.words = { ...en, ...w }
            view.look()
            redraw()
          }),
        () => {},
      )
    }
  }

  // ---- the line ----

  function hello() {
    const s = store.saved
    const u = app.user
    return {
      type: 'hello',
      token: s.t,
      epoch: s.t && s.e,
      after: s.t && convo.top(),
      user: u.token,
      locale: app.locale,
      page: { url: location.href.slice(0, 2000), title: document.title.slice(0, 300), referrer: document.referrer.slice(0, 2000) },
      // Told, not proven: what the visitor or the page says of the visitor.
      visitor: { name: u.name, email: u.email, ...s.p },
      hmac: { id: u.id, hash: u.hash },
      ...app.facts,
    }
  }

  function frame(f: Frame) {
    if (f.type == 'welcome') welcome(f)
    else if (f.type == 'status') status(f)
    else if (f.type == 'error') error(f)
    else convo.take(f)
  }

  function welcome(f: Frame) {
    const had = store.saved
    const s = store.reload()
    // Two tabs began at the same time: the one that stored first leads.
    if (s.c && f.conversation != s.c && !convo.top() && askedWith != s.c) {
      askedWith = s.c
      return link.kick()
    }
    const same = !had.e || had.e == f.epoch
    store.save({ t: String(f.token || s.t || ''), e: f.epoch, c: f.conversation })
    app.settings(f.settings)
    if (!convo.welcome(+f.seq || 0, same)) return link.kick()
    setMode(f.mode)
    if (wantHuman) link.send({ type: 'human' })
    seen()
  }

  function error(f: Frame) {
    if (f.code == 'bad_token') {
      app.forget()
      return link.kick()
    }
    if (f.code == 'unknown_type') return
    app.emit('error', { code: f.code, message: f.message })
    dots(null)
    view.setBusy(false)
    if (!convo.fail(f)) view.say(String(f.message))
  }

  function status(f: Frame) {
    const n = +f.position
    setMode(f.mode)
    if (f.state == 'idle') {
      dots(null)
      if (!convo.streaming()) view.setBusy(false)
    } else if (!convo.streaming()) {
      const typing = f.state == 'typing'
      if (!typing) view.setBusy(true)
      dots(n > 0 ? app.words.queue.replace('{n}', n + '') : typing ? app.words.typing : '')
    }
    app.emit('status', app.status())
  }

  function setMode(m: unknown) {
    const was = app.mode
    if (!/^(ai|human|waiting|offline)$/.test(m as string)) return
    app.mode = m as string
    if (m != 'ai') wantHuman = false
    if (m != was) {
      app.emit('mode', was)
    }
    if (m == 'offline' && view.panel) app.part('forms', m)
    view.refresh()
  }

  /** Dots that take themselves away, whatever the server forgets. */
  function dots(note: string | null) {
    cancel(dotsEnd)
    if (view.list) view.list.dots(note)
    if (note != null) {
      dotsEnd = later(() => {
        dots(null)
        view.setBusy(false)
      }, STUCK)
    }
  }

  function changed() {
    const s = link.state()
    cancel(lineTimer)
    if (s == 'open' || s == 'idle') view.line = ''
    else if (s == 'final') view.line = 'gone'
    // A short gap is nobody's business.
    else if (!view.line) {
      lineTimer = later(() => {
        view.line = 'lost'
        view.refresh()
      }, 1_500)
    }
    if (s != 'open') {
      convo.cut()
      dots(null)
      if (!convo.streaming()) view.setBusy(false)
    }
    view.refresh()
    app.emit('status', app.status())
  }

  // ---- messages ----

  function put(m: Msg, live: boolean) {
    if (view.list) view.list.put(m)
    if (m.seq > (store.saved.q || 0)) store.save({ q: m.seq })
    if (m.from == 'visitor') {
      if (live && app.mode == 'ai' && !convo.streaming()) {
        view.setBusy(true)
        dots('')
      }
    } else {
      dots(null)
      if (m.from == 'operator') view.operator = String(m.name || '')
      else view.setBusy(false)
      if (live) {
        if (m.from != 'ai') view.say(m.text.slice(0, 500))
        app.emit('message:received', { from: m.from, text: m.text, seq: m.seq })
        if (app.ring && !(view.isOpen && document.hasFocus())) app.ring(m.seq)
      }
    }
    seen()
    view.refresh()
  }

  function redraw() {
    const l = view.list
    if (!l) return
    convo.msgs.forEach(m => l.put(m))
    store.outs.forEach(o => l.out(o))
  }

  /** What is on screen counts as read. */
  function seen() {
    const top = convo.top()
    if (view.isOpen && !document.hidden && top > (store.saved.r || 0)) {
      store.save({ r: top })
      link.send({ type: 'read', seq: top })
    }
    let n = 0
    for (let i = top; i > (store.saved.r || 0); i--) {
      const m = convo.msgs.get(i)
      if (m && m.from != 'visitor') n++
    }
    setUnread(n)
  }

  function setUnread(n: number) {
    if (n == app.unread) return
    app.unread = n
    view.unread(n)
    if (app.titled) app.titled(n)
    app.emit('unread', n)
  }

  /** Another tab has written: one conversation for all of them. */
  function stored(e: StorageEvent) {
    if (e.key != store.key) return
    const was = store.saved.c
    if (store.reload().c != was && link.state() != 'idle') {
      convo.reset()
      link.kick()
    }
    seen()
  }
}
