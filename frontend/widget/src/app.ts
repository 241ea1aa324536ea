import { openConvo, type Msg } from './convo'
import { en, type Words } from './lang/en'
import { pick } from './lang/pick'
import { openLink, type Frame } from './link'
import { cancel, enc, later, load } from './safe'
import type { PageSettings, Site } from './settings'
import { openStore } from './store'
import type { App, Part } from './types'
import { createView } from './view'

declare const __V__: string

/** Typing is over after this silence; dots never outlive the second. */
const TYPING = 4_000
const STUCK = 60_000

/** The widget on one page: settings, conversation, line and view together. */
export function createApp(page: PageSettings, base: string): App & { start(): void } {
  const name = String(page.site || 'default')
  const store = openStore(name)
  const handlers: Record<string, ((...a: any[]) => void)[]> = {}
  const parts: Record<string, Promise<Part>> = {}
  const life = new AbortController()
  let server: Site = {}
  let ready = false
  let wantHuman = false
  let typingAt = 0
  let typingEnd: number
  let dotsEnd: number
  let lineTimer: number
  let askedWith: unknown
  let titled = ''
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
      send: f => link.send(f),
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
    attributes: {},
    tags: [],
    t: (key, english) => app.words[key] || english,
    own: url => url.slice(0, 10) == '/v1/files/' || !url.indexOf(base + 'v1/files/'),
    say(text) {
      text = text.trim()
      if (!text || (view.row && view.row.hidden)) return false
      // Else a server that waits for the visitor's next words would go on waiting.
      stopTyping()
      if (!convo.say(text)) return false
      store.unlock()
      store.flush()
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
    draft(text) {
      store.tab(':d', text)
      if (!text) return stopTyping()
      const now = performance.now()
      if (now - typingAt > 2_000 || !typingAt) typingAt = link.send({ type: 'typing', on: true }) ? now : 0
      cancel(typingEnd)
      typingEnd = later(stopTyping, TYPING)
    },
    opened() {
      language()
      app.part('more')
      app.begin()
      const d = store.tab(':d')
      if (d && !view.box.value) view.fill(String(d))
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
      const gate = s.consent && !v.k ? 'consent' : s.prechat && s.prechat.length && !v.p && !v.q ? 'prechat' : ''
      view.row.hidden = gate == 'prechat' || (!!gate && !!s.consent!.required)
      if (gate) app.part('forms', gate)
      if (!view.row.hidden) app.connect()
      view.refresh()
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
      const of = (s: Site) => Object.assign({}, s, (s.texts || {})[locale])
      const all: any = Object.assign(of(server), of(page))
      if (all.consent && all.consentText) all.consent = Object.assign({}, all.consent, { text: all.consentText })
      app.site = all
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
      const l = (handlers[event] = handlers[event] || [])
      l[l.length] = fn
      if (event == 'ready' && ready) later(fn, 0)
      return () => {
        for (let i = 0; i < l.length; i++) if (l[i] == fn) l[i] = () => {}
      }
    },
    emit(event, detail) {
      const l = handlers[event] || []
      for (let i = 0; i < l.length; i++) {
        try {
          l[i](detail)
        } catch (e) {
          // A page's handler must not break the chat.
          later(() => {
            throw e
          }, 0)
        }
      }
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
    on(window, 'pageshow', e => e.persisted && link.probe())
    on(document, 'visibilitychange', () => {
      if (document.hidden) return
      link.probe()
      seen()
    })
    on(window, 'storage', stored)
    on(matchMedia('(prefers-color-scheme:dark)'), 'change', view.look)
  }

  /** Parts are classic scripts that hand themselves over through their element. */
  function fetchPart(file: string): Promise<Part> {
    return (parts[file] =
      parts[file] ||
      new Promise((ok, bad) => {
        const s: any = document.createElement('script')
        const url = base + 'assets/' + file + '.js?v=' + __V__
        try {
          // Pages under Trusted Types must allow the policy "haoke".
          policy = policy || (window as any).trustedTypes.createPolicy('haoke', { createScriptURL: (u: string) => u })
          s.src = policy.createScriptURL(url)
        } catch {
          s.src = url
        }
        s.haoke = ok
        s.onload = () => s.remove()
        s.onerror = () => {
          delete parts[file]
          s.remove()
          bad()
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
            app.words = Object.assign({}, en, w)
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
    const a = enc(app.attributes)
    return {
      type: 'hello',
      token: s.t,
      epoch: s.t && s.e,
      after: s.t && convo.top(),
      user: u.token,
      locale: app.locale,
      page: { url: location.href.slice(0, 2000), title: document.title.slice(0, 300), referrer: document.referrer.slice(0, 2000) },
      // Told, not proven: what the visitor or the page says of the visitor.
      visitor: s.p || u.name || u.email ? Object.assign({ name: u.name, email: u.email }, s.p) : undefined,
      hmac: u.hash && { id: u.id, hash: u.hash },
      attributes: a.length > 2 && a.length < 4000 ? app.attributes : undefined,
      tags: app.tags.length ? app.tags : undefined,
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
    for (const k in f.settings) if (k) return (app.settings(f.settings), greet(f, same))
    greet(f, same)
  }

  function greet(f: Frame, same: boolean) {
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
      if (m == 'human') app.emit('handoff:joined')
      if (was == 'human') app.emit('handoff:ended')
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
      typingAt = 0
      dots(null)
      if (!convo.streaming()) view.setBusy(false)
    }
    view.refresh()
    app.emit('status', app.status())
  }

  function stopTyping() {
    cancel(typingEnd)
    if (typingAt) link.send({ type: 'typing', on: false })
    typingAt = 0
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
    for (let i = 0; i < store.outs.length; i++) l.out(store.outs[i])
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
    if (titled && !document.title.indexOf(titled)) document.title = document.title.slice(titled.length)
    titled = n ? '(' + n + ') ' : ''
    document.title = titled + document.title
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
