import { Convo, type Msg, type Out } from './convo'
import { h, textButton } from './dom'
import { en, type MoreWords, type Words } from './lang/en'
import { pick } from './lang/pick'
import { Link, type Frame } from './link'
import { md } from './md'
import { cancel, enc, get, later } from './safe'
import { read, type Identity, type PageSettings, type Site } from './settings'
import { Store } from './store'
import { View } from './view'

declare const __V__: string

type Fn = (...a: any[]) => void

/** What a lazily loaded part gets to work with. */
export type Part = (app: App, ...args: any[]) => void

const TYPING = 4_000
const STUCK = 60_000

/** The widget on one page: settings, conversation, line and view together. */
export class App {
  store: Store
  link: Link
  convo: Convo
  view: View
  base: string
  name: string
  locale: string
  words: Words & MoreWords = en
  user: Identity = {}
  context: Record<string, any> = {}
  tags: string[] = []
  operator = ''
  unread = 0
  private server: Site = {}
  private merged: Site = {}
  private handlers: Record<string, Fn[]> = {}
  private parts: Record<string, Promise<Part>> = {}
  private mode = 'ai'
  private wantHuman = false
  private skewMs = 0
  private typingAt = 0
  private typingEnd?: number
  private dotsEnd?: number
  private lineTimer?: number
  private titleBase = ''
  private audio?: AudioContext
  private sayContext = true
  private off = new AbortController()
  private watch?: MutationObserver
  private ready = false

  constructor(
    private page: PageSettings,
    base: string,
  ) {
    this.base = base
    this.name = page.site || 'default'
    this.store = new Store(this.name)
    this.user = page.user || {}
    this.locale = pick(page.locale)
    this.merged = page
    this.link = new Link({
      url: () => base.replace(/^http/, 'ws') + 'v1/chat?site=' + encodeURIComponent(this.name),
      hello: () => this.hello(),
      frame: f => this.frame(f),
      state: () => this.lineChanged(),
      refused: () => this.convo.refuse(this.words.unsent),
    })
    this.convo = new Convo(
      {
        send: f => this.link.send(f),
        resync: () => this.link.kick(),
        put: (m, live) => this.put(m, live),
        out: (o, gone) => this.out(o, gone),
        stream: (t, fresh) => this.stream(t, fresh),
        clear: () => this.cleared(),
      },
      this.store,
    )
    this.view = new View(
      {
        words: () => this.words,
        locale: () => this.locale,
        site: () => this.merged,
        skew: () => this.skewMs,
        own: u => this.own(u),
        rating: () => this.merged.rating !== false,
        opened: () => this.opened(),
        closed: () => {
          this.store.tab(':w', 0)
          this.emit('close')
        },
        submit: t => this.say(t),
        draft: t => this.draft(t),
        stop: () => this.link.send({ type: 'stop' }),
        human: () => this.human(),
        menu: () => this.menu(),
        attach: f => this.part('files', f),
        emoji: () => this.part('emoji'),
        agree: () => this.agree(),
        resend: o => this.convo.again(o),
        ask: t => this.say(t),
        rate: (seq, score) => this.rate(seq, score),
        copied: t => this.copy(t),
        announce: t => this.view.say(t),
      },
      page.mode === 'page',
    )
    this.view.rendered = t => md(t)
  }

  /** Mounts and loads the look. Connects only for who has chatted before. */
  start() {
    this.mount()
    this.listen()
    this.language()
    const open = () => {
      this.ready = true
      this.emit('ready')
      if (this.page.open || this.page.mode === 'page' || this.store.tab(':w')) this.view.open()
      else if (this.store.saved.q) this.connect()
      if (this.merged.proactive && this.merged.proactive.length) this.part('proactive')
    }
    get(this.base + 'v1/site?site=' + encodeURIComponent(this.name), { credentials: 'omit' })
      .then(r => (r.ok ? r.json() : {}))
      .then(
        s => this.settings(s),
        () => {},
      )
      .then(open)
  }

  // ---- settings, language, page ----

  /** Lays the page's settings over the server's. */
  settings(server?: unknown) {
    if (server) this.server = read(server)
    const all: any = {}
    const wanted = this.page.locale || this.server.locale
    const locale = pick(wanted)
    const layers: any[] = [this.server, (this.server.texts || {})[locale], this.page, (this.page.texts || {})[locale]]
    for (let i = 0; i < 4; i++) {
      const l = i % 2 ? read(layers[i]) : layers[i]
      for (const k in l) if (l[k] !== undefined && l[k] !== '') all[k] = l[k]
      if (i % 2 && layers[i] && layers[i].consentText && all.consent) all.consent = { ...all.consent, text: String(layers[i].consentText) }
    }
    this.merged = all
    if (locale !== this.locale) {
      this.locale = locale
      this.language()
    }
    this.view.shown.consent = !!(all.consent && all.consent.required && !this.store.saved.k)
    this.view.look()
  }

  get site(): Site {
    return this.merged
  }

  /** Changes what the page has set. */
  configure(s: PageSettings) {
    this.page = { ...this.page, ...s }
    this.settings()
  }

  private language() {
    const l = this.locale
    const set = (w: MoreWords) => {
      if (l !== this.locale) return
      this.words = { ...en, ...w }
      this.view.look()
      if (this.view.list) this.redraw()
    }
    if (l === 'en') return set({})
    set({ open: pick.open(l) })
    if (this.view.isOpen || this.page.mode === 'page') this.dictionary(set)
  }

  private dictionary(set: (w: MoreWords) => void) {
    this.load('l-' + this.locale).then(p => p(this, set), () => {})
  }

  private mount() {
    const put = () => {
      if (!this.view.host.isConnected) document.documentElement.appendChild(this.view.host)
    }
    put()
    // Pages that rebuild their document take the bubble away; it comes back.
    this.watch = new MutationObserver(put)
    this.watch.observe(document, { childList: true })
    this.watch.observe(document.documentElement, { childList: true })
  }

  private listen() {
    const on = (t: EventTarget, e: string, f: Fn) => t.addEventListener(e, f, { signal: this.off.signal })
    on(window, 'online', () => this.link.probe())
    on(window, 'pageshow', e => e.persisted && this.link.probe())
    on(document, 'visibilitychange', () => {
      if (document.hidden) return
      this.link.probe()
      this.seen()
    })
    on(window, 'focus', () => this.seen())
    on(window, 'storage', e => this.stored(e))
    on(window, 'popstate', () => this.moved())
    on(matchMedia('(prefers-color-scheme:dark)'), 'change', () => this.view.look())
    if (window.visualViewport) {
      on(visualViewport!, 'resize', () => this.view.fit())
      on(visualViewport!, 'scroll', () => this.view.fit())
    }
  }

  /** Fetches a part and runs it. */
  part(name: string, ...args: any[]) {
    this.load(name).then(
      p => p(this, ...args),
      () => this.view.say(this.words.gone),
    )
  }

  /** Parts are classic scripts that hand themselves over through their element. */
  private load(name: string): Promise<Part> {
    if (!this.parts[name]) {
      this.parts[name] = new Promise((ok, bad) => {
        const s = document.createElement('script') as HTMLScriptElement & { haoke?: (p: Part) => void }
        s.src = this.base + 'assets/' + name + '.js?v=' + __V__
        s.haoke = ok
        s.onload = () => s.remove()
        s.onerror = () => {
          delete this.parts[name]
          s.remove()
          bad()
        }
        document.head.appendChild(s)
      })
    }
    return this.parts[name]
  }

  // ---- events ----

  on(event: string, fn: Fn): () => void {
    const l = this.handlers[event] || (this.handlers[event] = [])
    l[l.length] = fn
    if (event === 'ready' && this.ready) later(() => fn(), 0)
    return () => {
      for (let i = 0; i < l.length; i++) if (l[i] === fn) l[i] = () => {}
    }
  }

  emit(event: string, data?: unknown) {
    const l = this.handlers[event] || []
    for (let i = 0; i < l.length; i++) {
      try {
        l[i](data)
      } catch (e) {
        // A page's handler must not break the chat.
        later(() => {
          throw e
        }, 0)
      }
    }
    try {
      window.dispatchEvent(new CustomEvent('haoke:' + event, { detail: data }))
    } catch {
      /* an old browser without CustomEvent */
    }
  }

  // ---- opening ----

  private opened() {
    if (this.locale !== 'en') this.language()
    if (!this.view.shown.consent) this.begin()
    this.emit('open')
  }

  private agree() {
    this.store.unlock()
    this.store.save({ k: true })
    this.view.shown.consent = false
    this.begin()
    this.view.refresh()
    this.view.focus()
  }

  private begin() {
    this.store.unlock()
    this.store.tab(':w', 1)
    const d = this.store.tab(':d')
    if (typeof d === 'string' && d && !this.view.box.value) this.view.fill(d)
    for (let i = 0; i < this.convo.outs.length; i++) this.view.list!.out(this.convo.outs[i])
    this.redraw()
    const ask = this.merged.prechat
    if (ask && ask.length && !this.store.saved.p && !this.store.saved.q) this.part('forms', 'prechat')
    else this.connect()
    this.seen()
  }

  /** Opens the line; only after a click or for who has chatted before. */
  connect() {
    this.store.unlock()
    this.link.start()
  }

  private hello() {
    const s = this.store.saved
    const u = this.user
    const l = location.href
    return {
      type: 'hello',
      token: s.t,
      epoch: s.t ? s.e : undefined,
      after: s.t ? this.convo.top : undefined,
      user: u.token,
      locale: this.locale,
      page: { url: l.slice(0, 2000), title: document.title.slice(0, 300), referrer: document.referrer.slice(0, 2000) },
      // Told, not proven: what the visitor or the page says of the visitor.
      visitor: s.p || u.name || u.email ? { name: u.name, email: u.email, ...s.p } : undefined,
      hmac: u.hash ? { id: u.id, hash: u.hash } : undefined,
      attributes: enc(this.context).length > 2 && enc(this.context).length < 4000 ? this.context : undefined,
      tags: this.tags.length ? this.tags.slice(0, 50) : undefined,
    }
  }

  // ---- frames ----

  private frame(f: Frame) {
    if (f.type === 'welcome') this.welcome(f)
    else if (f.type === 'status') this.status(f)
    else if (f.type === 'error') this.error(f)
    else this.convo.take(f)
  }

  private welcome(f: Frame) {
    const s = this.store.reload()
    const token = String(f.token || '')
    // Two tabs began at the same time: the one that stored first leads.
    if (s.t && s.c && f.conversation !== s.c && !this.convo.top && this.asked !== s.t) {
      this.asked = s.t
      return this.link.kick()
    }
    const same = !s.e || s.e === f.epoch
    this.store.save({ t: token || s.t, e: f.epoch, c: f.conversation })
    if (f.settings && typeof f.settings === 'object') {
      let any = false
      for (const k in f.settings) any = any || !!k
      if (any) this.settings(f.settings)
    }
    if (!this.convo.welcome(f, same)) return this.link.kick()
    this.setMode(f.mode)
    if (this.wantHuman) this.link.send({ type: 'human' })
    this.view.refresh()
  }
  private asked?: string

  private error(f: Frame) {
    if (f.code === 'bad_token') {
      this.forget()
      return this.link.kick()
    }
    if (f.code === 'unknown_type') {
      this.sayContext = false
      return
    }
    this.emit('error', { code: f.code, message: f.message })
    if (!this.convo.fail(f) && f.message) this.note(String(f.message))
    this.dots(null)
  }

  private status(f: Frame) {
    if (f.mode) this.setMode(f.mode)
    const w = this.words
    const n = +f.position
    if (f.state === 'idle') {
      this.dots(null)
      if (!this.convo.streaming) this.busy(false)
    } else if (!this.convo.streaming) {
      if (f.state === 'thinking' || f.state === 'queued') this.busy(true)
      this.dots(f.state === 'queued' && n > 0 ? w.queue.replace('{n}', String(n)) : f.state === 'typing' && this.mode === 'human' ? (this.operator || w.team) + ' ' + w.typing.toLowerCase() : '')
    }
    this.emit('status', this.status_())
  }

  status_() {
    return { connection: this.link.state, mode: this.mode, open: this.view.isOpen, unread: this.unread }
  }

  private setMode(m: unknown) {
    if (typeof m !== 'string' || !/^(ai|human|waiting|offline)$/.test(m)) return
    const was = this.mode
    this.mode = m
    this.view.shown.mode = m
    if (m !== 'ai') this.wantHuman = false
    if (m !== was) {
      if (m === 'human') this.emit('handoff:joined')
      else if (was === 'human') {
        this.operator = this.view.shown.operator = ''
        this.emit('handoff:ended')
      }
    }
    if (m === 'offline' && this.view.panel) this.part('forms', 'offline')
    this.view.refresh()
  }

  private busy(b: boolean) {
    this.view.shown.busy = b
    this.view.refresh()
  }

  /** Dots that take themselves away, whatever the server forgets. */
  private dots(note: string | null) {
    cancel(this.dotsEnd)
    if (this.view.list) this.view.list.setDots(note)
    if (note !== null) {
      this.dotsEnd = later(() => {
        this.dots(null)
        this.busy(false)
      }, STUCK)
    }
  }

  // ---- messages ----

  /** Sends a text of the visitor. False when it cannot be taken now. */
  say(text: string): boolean {
    if (this.view.shown.consent) return false
    // Else a server that waits for the visitor's next words would go on waiting.
    this.stopTyping()
    if (!this.convo.say(text)) return false
    this.beep(0)
    this.connect()
    this.emit('message:sent', { text })
    if (this.mode === 'ai' && this.link.state === 'open') {
      later(() => this.mode === 'ai' && this.convo.outs.length && !this.convo.streaming && this.dots(''), 200)
    }
    this.view.refresh()
    return true
  }

  private put(m: Msg, live: boolean) {
    const list = this.view.list
    if (list) list.put(m)
    if (m.seq > (this.store.saved.q || 0)) this.store.save({ q: m.seq })
    if (live && m.at && !this.skewMs) {
      const skew = Date.parse(m.at) - Date.now()
      if (Math.abs(skew) > 120_000) this.skewMs = skew
    }
    if (m.from === 'operator' && m.name) this.operator = this.view.shown.operator = m.name
    if (m.from === 'visitor') {
      if (live && this.mode === 'ai' && !this.convo.streaming) {
        this.dots('')
        this.busy(true)
      }
    } else {
      this.dots(null)
      if (m.from !== 'operator') this.busy(false)
      if (live) {
        this.emit('message:received', { from: m.from, text: m.text, seq: m.seq })
        this.arrived(m)
      }
    }
    this.seen()
    this.view.refresh()
  }

  private arrived(m: Msg) {
    if (m.from !== 'ai' && this.view.list) this.view.say(m.text.slice(0, 500))
    if (this.view.isOpen && !document.hidden && document.hasFocus()) return
    // One tab rings: a visible one at once, hidden ones only if none has.
    later(
      () => {
        if ((this.store.reload().s || 0) >= m.seq) return
        this.store.save({ s: m.seq })
        this.beep(1)
      },
      document.hidden ? 60 + Math.random() * 200 : 0,
    )
  }

  private out(o: Out, gone?: boolean) {
    if (this.view.list) {
      this.view.list.out(o, gone)
      this.view.refresh()
    }
    if (o.fail && !gone) this.dots(null)
  }

  private stream(t: string | null, fresh: boolean) {
    if (this.view.list) this.view.list.stream(t)
    if (fresh) this.emit('stream:start')
    if (t === null) this.emit('stream:end')
    else if (t) {
      this.dots(null)
      if (!this.view.shown.busy) this.busy(true)
    }
  }

  private cleared() {
    if (this.view.list) this.view.list.clear()
    this.busy(false)
    this.setUnread(0)
  }

  private redraw() {
    const l = this.view.list
    if (!l) return
    this.convo.msgs.forEach(m => l.put(m))
  }

  /** What is on screen counts as read. */
  private seen() {
    const c = this.convo
    const s = this.store.saved
    if (this.view.isOpen && !document.hidden && c.top > (s.r || 0)) {
      this.store.save({ r: c.top })
      this.link.send({ type: 'read', seq: c.top })
    }
    let n = 0
    for (let i = c.top; i > (this.store.saved.r || 0); i--) {
      const m = c.msgs.get(i)
      if (m && m.from !== 'visitor') n++
    }
    this.setUnread(n)
  }

  private setUnread(n: number) {
    if (n === this.unread) return
    this.unread = n
    this.view.unread(n)
    const t = document.title.replace(/^\(\d+\+?\) /, '')
    if (n || this.titleBase) document.title = (n ? '(' + n + ') ' : '') + t
    this.titleBase = n ? t : ''
    this.emit('unread', n)
  }

  // ---- the visitor's doings ----

  human() {
    this.wantHuman = !this.link.send({ type: 'human' })
    this.connect()
    this.emit('handoff:requested')
    this.view.say(this.words.sWait)
    this.view.focus()
  }

  private rate(seq: number, score: number, comment?: string) {
    this.link.send({ type: 'rate', seq, score, comment })
    this.emit('rating', { seq, score, comment })
    this.view.say(this.words.thanks)
  }

  private copy(text: string) {
    const done = () => this.view.say(this.words.copied)
    // The clipboard is missing on plain HTTP.
    if (navigator.clipboard) return void navigator.clipboard.writeText(text).then(done, () => {})
    const t = h('textarea', 'sr', this.view.root)
    t.value = text
    t.select()
    try {
      document.execCommand('copy')
      done()
    } catch {
      /* nothing more can be done */
    }
    t.remove()
  }

  private draft(text: string) {
    this.store.tab(':d', text)
    if (!text) return this.stopTyping()
    const now = Date.now()
    if (Math.abs(now - this.typingAt) > 2_000 && this.link.send({ type: 'typing', on: true })) this.typingAt = now
    cancel(this.typingEnd)
    this.typingEnd = later(() => this.stopTyping(), TYPING)
  }

  private stopTyping() {
    cancel(this.typingEnd)
    if (this.typingAt) this.link.send({ type: 'typing', on: false })
    this.typingAt = 0
  }

  /** A line of our own among the messages; not part of the conversation. */
  note(text: string, action?: string, fn?: () => void) {
    if (!this.view.list) return
    const g = h('div', 'g s', this.view.list.el)
    const x = h('div', 'x', g, text + ' ')
    if (action) {
      textButton(action, '', x, () => {
        g.remove()
        fn!()
      })
    }
    this.view.list.toEnd()
    this.view.say(text)
  }

  /** Leaves the conversation; the visitor can take that back. */
  fresh() {
    const was = { ...this.store.saved }
    this.forget()
    this.link.kick()
    this.link.start()
    if (was.t && was.q) {
      this.note(this.words.started, this.words.undo, () => {
        this.forget()
        this.store.save(was)
        this.link.kick()
      })
    }
    this.view.refresh()
  }

  private forget() {
    this.store.save({ t: undefined, e: undefined, c: undefined, q: undefined, r: undefined, s: undefined })
    this.convo.reset()
    this.mode = this.view.shown.mode = 'ai'
  }

  private menu(): [string, () => void, string][] {
    const w = this.words
    const s = this.merged
    const m: [string, () => void, string][] = [[w.fresh, () => this.fresh(), 'fresh']]
    const any = this.convo.top > 0
    if (s.transcript !== false && any) m[m.length] = [w.save, () => this.part('forms', 'save'), 'save']
    if (s.rating !== false && any) m[m.length] = [w.rate, () => this.part('forms', 'rate'), 'star']
    const off = this.store.saved.m
    if (s.sound !== false) m[m.length] = [off ? w.unmute : w.mute, () => this.store.save({ m: !off }), 'sound']
    return m
  }

  /** Two soft tones. The context exists only after a gesture of the visitor. */
  private beep(ring: number) {
    if (this.merged.sound === false || this.store.saved.m) return
    try {
      if (!ring) return void (this.audio = this.audio || new AudioContext())
      const a = this.audio
      if (!a) return
      void a.resume()
      for (let i = 0; i < 2; i++) {
        const o = a.createOscillator()
        const g = a.createGain()
        const at = a.currentTime + i * 0.12
        o.frequency.value = i ? 880 : 660
        g.gain.setValueAtTime(0.0001, at)
        g.gain.exponentialRampToValueAtTime(0.08, at + 0.02)
        g.gain.exponentialRampToValueAtTime(0.0001, at + 0.3)
        o.connect(g).connect(a.destination)
        o.start(at)
        o.stop(at + 0.32)
      }
      this.emit('sound')
    } catch {
      /* a browser without sound */
    }
  }

  // ---- line, tabs, page ----

  private lineChanged() {
    const s = this.link.state
    const v = this.view.shown
    cancel(this.lineTimer)
    if (s === 'open' || s === 'idle') v.line = ''
    else if (s === 'final') v.line = 'gone'
    // A short gap is nobody's business.
    else if (!v.line) {
      this.lineTimer = later(() => {
        v.line = 'lost'
        this.view.refresh()
      }, 1_500)
    }
    if (s !== 'open') {
      this.convo.cut()
      this.dots(null)
      if (!this.convo.streaming) this.busy(false)
    }
    this.view.refresh()
    this.emit('status', this.status_())
  }

  /** Another tab has written: one conversation for all of them. */
  private stored(e: StorageEvent) {
    if (e.key !== this.store.key) return
    const had = this.store.saved
    const now = this.store.reload()
    if (now.c !== had.c && this.link.state !== 'idle') {
      this.convo.reset()
      this.link.kick()
    }
    this.seen()
  }

  /** The page has changed its address without loading. */
  moved() {
    this.pushContext()
  }

  /** Tells the server what the page says; servers that do not know it say so once. */
  pushContext(event?: { name: string; data?: unknown }) {
    if (!this.sayContext) return
    const hello = this.hello()
    this.link.send({ type: 'context', page: hello.page, attributes: hello.attributes, tags: hello.tags, event })
  }

  /** Says hello again, with another identity. */
  again() {
    this.link.kick()
  }

  /** Is this one of the appliance's own files? */
  own(url: string): boolean {
    try {
      const u = new URL(url, this.base)
      return u.href.startsWith(this.base + 'v1/files/')
    } catch {
      return false
    }
  }

  /** Takes everything away. */
  shutdown() {
    this.link.stop()
    this.off.abort()
    if (this.watch) this.watch.disconnect()
    this.setUnread(0)
    this.view.host.remove()
  }
}
