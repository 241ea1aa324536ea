import css from './style.css?inline'
import { h, icon, iconButton, named, textButton } from './dom'
import { readable, textOn } from './theme'
import { List, type ListDeps } from './list'
import type { Site } from './settings'
import type { Words } from './lang/en'

export interface ViewDeps extends ListDeps {
  site(): Site
  opened(): void
  closed(): void
  /** Text to send; false keeps it in the box. */
  submit(text: string): boolean
  draft(text: string): void
  stop(): void
  human(): void
  menu(): [string, () => void, string][]
  attach(files: ArrayLike<File> | null): void
  emoji(): void
  agree(): void
}

/** What the view shows besides the messages. */
export interface Shown {
  mode: string
  line: '' | 'lost' | 'gone'
  busy: boolean
  consent: boolean
  operator: string
}

/**
 * Everything that is drawn: bubble and panel in a closed shadow root. The
 * panel is built when it is opened for the first time.
 */
export class View {
  host: HTMLElement
  root: HTMLElement
  shadow: ShadowRoot
  launcher: HTMLButtonElement
  panel?: HTMLElement
  list?: List
  box!: HTMLTextAreaElement
  form!: HTMLElement
  row!: HTMLElement
  isOpen = false
  private sheet?: CSSStyleSheet
  private style?: HTMLStyleElement
  private badge: HTMLElement
  private title!: HTMLElement
  private state!: HTMLElement
  private avatar!: HTMLElement
  private banner!: HTMLElement
  private intro!: HTMLElement
  private quick!: HTMLElement
  private consent!: HTMLElement
  private go!: HTMLButtonElement
  private down!: HTMLButtonElement
  private foot!: HTMLElement
  private over!: HTMLElement
  private live!: HTMLElement
  private menuEl?: HTMLElement
  private back: Element | null = null
  private buttons!: { close: HTMLButtonElement; more: HTMLButtonElement; clip: HTMLButtonElement; face: HTMLButtonElement; human: HTMLButtonElement }
  shown: Shown = { mode: 'ai', line: '', busy: false, consent: false, operator: '' }

  constructor(
    private d: ViewDeps,
    private page: boolean,
  ) {
    this.host = document.createElement('haoke-chat')
    this.shadow = this.host.attachShadow({ mode: 'closed' })
    try {
      const sheet = new CSSStyleSheet()
      sheet.replaceSync(css)
      this.sheet = new CSSStyleSheet()
      this.shadow.adoptedStyleSheets = [sheet, this.sheet]
    } catch {
      // Browsers before constructable style sheets.
      h('style', '', this.shadow, css)
      this.style = h('style', '', this.shadow)
    }
    this.root = h('section', 'hk', this.shadow)
    this.launcher = iconButton('chat', '', 'l', this.root, () => (this.isOpen ? this.close() : this.open()))
    this.launcher.setAttribute('aria-expanded', 'false')
    h('span', '', this.launcher)
    this.badge = h('b', '', this.launcher)
    this.badge.hidden = true
    this.look()
  }

  /** Draws colours, sides and words again, after settings or language changed. */
  look() {
    const s = this.d.site()
    const w = this.d.words()
    const c = s.color || '#0f7b6c'
    const dark = s.theme === 'dark' || (s.theme !== 'light' && matchMedia('(prefers-color-scheme:dark)').matches)
    // Accents are words and rings on surface and ground: the darker of both counts.
    const rules = `.hk{--c:${c};--on:${textOn(c)};--accent:${readable(c, dark ? '#262422' : '#f3f1ee')};--ox:${s.offsetX ?? 20}px;--oy:${s.offsetY ?? 20}px;--z:${s.zIndex ?? 2147483000}}`
    if (this.sheet) this.sheet.replaceSync(rules)
    else if (this.style) this.style.textContent = rules
    const rtl = /^(ar|he|fa|ur)/.test(this.d.locale())
    this.root.className = 'hk' + (dark ? ' dark' : '') + (s.side === 'left' ? ' left' : '') + (this.page ? ' page' : '') + (this.isOpen ? ' open' : '')
    this.root.dir = rtl ? 'rtl' : 'ltr'
    this.root.lang = this.d.locale()
    this.root.setAttribute('aria-label', s.title || w.chat)
    const label = s.launcher || ''
    ;(this.launcher.children[1] as HTMLElement).textContent = label
    this.launcher.classList.toggle('text', !!label && !this.isOpen)
    ;(this.launcher.children[1] as HTMLElement).hidden = !label || this.isOpen
    this.nameLauncher()
    this.launcher.hidden = this.page || (!!s.hidden && !this.isOpen)
    if (this.panel) this.words()
  }

  private nameLauncher() {
    const w = this.d.words()
    const s = this.d.site()
    const n = this.badge.textContent
    const name = this.isOpen ? w.close : s.launcher || w.open
    named(this.launcher, n && !this.isOpen ? name + ', ' + w.unread.replace('{n}', n) : name)
  }

  unread(n: number) {
    this.badge.textContent = n ? (n > 99 ? '99+' : String(n)) : ''
    this.badge.hidden = !n || this.isOpen
    this.nameLauncher()
  }

  open() {
    if (this.isOpen) return
    this.isOpen = true
    this.back = document.activeElement
    if (!this.panel) this.build()
    this.panel!.hidden = false
    this.launcher.setAttribute('aria-expanded', 'true')
    this.launcher.replaceChild(icon('down'), this.launcher.firstChild!)
    this.badge.hidden = true
    this.look()
    this.refresh()
    this.fit()
    this.d.opened()
    this.list!.toEnd()
    this.focus()
  }

  close() {
    if (!this.isOpen || this.page) return
    this.isOpen = false
    this.shutMenu()
    this.panel!.hidden = true
    this.launcher.setAttribute('aria-expanded', 'false')
    this.launcher.replaceChild(icon('chat'), this.launcher.firstChild!)
    this.look()
    this.d.closed()
    // Back to where the visitor was, unless that is gone.
    const b = this.back as HTMLElement | null
    if (b && b !== document.body && b !== this.host && b.isConnected && !this.launcher.matches(':hover')) b.focus()
    else this.launcher.focus()
  }

  focus() {
    const t = this.form.hidden || this.row.hidden ? this.panel!.querySelector<HTMLElement>('input,.pri,.i') : this.box
    if (t) t.focus({ preventScroll: true })
  }

  private build() {
    const d = this.d
    const p = (this.panel = h('div', 'p', this.root))
    p.id = 'p'
    p.setAttribute('role', 'dialog')
    p.setAttribute('aria-labelledby', 't')
    this.launcher.setAttribute('aria-controls', 'p')
    // The bubble comes after the panel for those who walk by Tab.
    this.root.appendChild(this.launcher)
    const head = h('header', '', p)
    this.avatar = h('div', 'av', head)
    const who = h('div', 'who', head)
    this.title = h('h2', '', who)
    this.title.id = 't'
    this.state = h('p', '', who)
    this.state.setAttribute('role', 'status')
    const more = iconButton('more', '', 'i', head, () => this.menu())
    more.setAttribute('aria-haspopup', 'menu')
    more.setAttribute('aria-expanded', 'false')
    const close = iconButton('close', '', 'i', head, () => this.close())
    close.hidden = this.page
    this.banner = h('div', 'b', p)
    this.banner.setAttribute('role', 'status')
    const box = h('div', 'm', p)
    box.tabIndex = 0
    box.setAttribute('role', 'log')
    // Pieces of an answer are not read out; finished sentences are, below.
    box.setAttribute('aria-live', 'off')
    box.setAttribute('aria-labelledby', 't')
    this.intro = h('div', 'g a', box)
    this.list = new List(d, box, more => {
      if (this.down) this.down.hidden = !more
    })
    this.quick = h('div', 'q', box)
    this.live = h('div', 'sr', p)
    this.live.setAttribute('aria-live', 'polite')
    this.composer(p, { more, close })
    p.addEventListener('keydown', e => this.keys(e))
    p.addEventListener('click', e => {
      if (this.menuEl && !this.menuEl.contains(e.target as Node) && !more.contains(e.target as Node)) this.shutMenu()
    })
    box.addEventListener('click', e => {
      const g = (e.target as Element).closest('.g')
      if (g) g.classList.toggle('tap')
    })
    this.drops(p)
    this.words()
  }

  private composer(p: HTMLElement, b: { more: HTMLButtonElement; close: HTMLButtonElement }) {
    const d = this.d
    const f = (this.form = h('div', 'f', p))
    this.down = iconButton('down', '', 'down', f, () => this.list!.toEnd())
    this.down.hidden = true
    this.consent = h('p', 'con', f)
    this.row = h('div', 'row', f)
    const clip = iconButton('clip', '', 'i', this.row, () => d.attach(null))
    this.box = h('textarea', '', this.row)
    this.box.rows = 1
    this.box.setAttribute('enterkeyhint', 'send')
    this.box.setAttribute('dir', 'auto')
    const face = iconButton('face', '', 'i', this.row, () => d.emoji())
    this.go = iconButton('send', '', 'i go', this.row, () => this.press())
    this.foot = h('div', 'foot', f)
    const human = textButton('', '', this.foot, () => d.human())
    human.appendChild(icon('person'))
    h('span', '', human)
    this.over = h('span', 'err', this.foot)
    this.over.setAttribute('role', 'status')
    h('span', 'by', this.foot, 'Haoke')
    this.buttons = { ...b, clip, face, human }
    this.box.addEventListener('input', () => this.typed())
    this.box.addEventListener('keydown', e => {
      // Enter that ends an input method's word must not send (keyCode 229: Safari).
      if (e.key === 'Enter' && !e.shiftKey && !e.isComposing && e.keyCode !== 229) {
        e.preventDefault()
        this.submit()
      }
    })
    // Pages that listen for shortcuts must not hear what is typed here.
    for (const t of ['keydown', 'keyup', 'keypress']) f.addEventListener(t, e => (e as KeyboardEvent).key !== 'Escape' && (e as KeyboardEvent).key !== 'Tab' && e.stopPropagation())
  }

  private drops(p: HTMLElement) {
    const files = (t: DataTransfer | null, e: Event) => {
      if (!t || !t.files.length || !this.d.site().upload) return
      e.preventDefault()
      this.d.attach(t.files)
    }
    p.addEventListener('dragover', e => this.d.site().upload && e.preventDefault())
    p.addEventListener('drop', e => files(e.dataTransfer, e))
    this.box.addEventListener('paste', e => files(e.clipboardData, e))
  }

  private words() {
    const w = this.d.words()
    const s = this.d.site()
    const b = this.buttons
    named(b.more, w.more)
    named(b.close, w.close)
    named(b.clip, w.attach)
    named(b.face, w.emoji)
    named(this.down, w.latest)
    b.clip.hidden = !s.upload
    b.face.hidden = s.emoji === false || matchMedia('(pointer:coarse)').matches
    b.human.children[1].textContent = w.human
    ;(this.foot.lastChild as HTMLElement).hidden = !s.poweredBy
    this.box.placeholder = w.ph
    this.box.setAttribute('aria-label', w.ph)
    const title = s.title || w.chat
    this.title.textContent = title
    this.face(title, s.avatar)
    this.intro.textContent = ''
    h('span', '', h('div', 'n', this.intro), w.ai)
    this.list && this.d.announce('')
    this.intro.appendChild(this.rendered(s.greeting || w.hello))
    this.chips(s.quick)
    this.consentLine(s, w)
    this.refresh()
  }

  rendered: (text: string) => Node = t => document.createTextNode(t)

  private face(title: string, url?: string) {
    this.avatar.textContent = ''
    const letter = () => (this.avatar.textContent = String.fromCodePoint(title.codePointAt(0) || 72).toUpperCase())
    this.avatar.setAttribute('aria-hidden', 'true')
    if (!url || !/^(https?:|\/)/i.test(url)) return void letter()
    const img = document.createElement('img')
    img.className = 'av'
    img.alt = ''
    img.onerror = letter
    img.src = url
    this.avatar.appendChild(img)
  }

  private chips(q?: string[]) {
    this.quick.textContent = ''
    for (let i = 0; q && i < q.length && i < 8; i++) {
      const text = String(q[i]).slice(0, 200)
      textButton(text, '', this.quick, () => {
        this.d.submit(text)
        this.box.focus()
      })
    }
  }

  private consentLine(s: Site, w: Words) {
    this.consent.textContent = ''
    const c = s.consent
    if (!c) return
    h('span', '', this.consent, String(c.text))
    const url = c.url && (/^https?:\/\//i.test(c.url) || /^\/(?!\/)/.test(c.url)) ? c.url : ''
    if (url) {
      this.consent.appendChild(document.createTextNode(' '))
      const a = h('a', '', this.consent, w.privacy)
      a.href = url
      a.target = '_blank'
      a.rel = 'noopener'
    }
    if (c.required) {
      const b = textButton(w.agree, 'pri', this.consent, () => this.d.agree())
      b.style.cssText = 'display:block;margin:8px 0'
    }
  }

  /** Draws what depends on the state of things. */
  refresh() {
    if (!this.panel) return
    const w = this.d.words()
    const s = this.d.site()
    const v = this.shown
    const m = v.mode
    this.state.textContent = m === 'human' ? v.operator || w.sHuman : m === 'waiting' ? w.sWait : m === 'offline' ? w.sOff : s.hours || w.sAi
    this.banner.textContent = v.line === 'lost' ? w.lost : v.line === 'gone' ? w.gone : ''
    this.banner.hidden = !v.line
    const empty = this.list!.empty
    this.quick.hidden = !empty || v.consent
    this.consent.hidden = !s.consent || (!empty && !v.consent)
    this.row.hidden = v.consent
    this.foot.hidden = v.consent
    ;(this.foot.firstChild as HTMLElement).hidden = s.human === false || m === 'human' || m === 'waiting'
    this.send()
  }

  private send() {
    const w = this.d.words()
    const text = this.box.value.trim()
    const stop = !text && this.shown.busy
    const max = this.d.site().maxChars || 4000
    const over = text.length - max
    this.over.textContent = over > 0 ? w.over.replace('{n}', String(over)) : ''
    const want = stop ? 'stop' : 'send'
    if (this.go.dataset.is !== want) {
      this.go.dataset.is = want
      this.go.replaceChild(icon(want), this.go.firstChild!)
    }
    named(this.go, stop ? w.stop : w.send)
    this.go.setAttribute('aria-disabled', String(!stop && (!text || over > 0)))
  }

  private press() {
    if (!this.box.value.trim() && this.shown.busy) this.d.stop()
    else this.submit()
  }

  submit() {
    const text = this.box.value.trim()
    if (!text || text.length > (this.d.site().maxChars || 4000) || !this.d.submit(text)) return
    this.fill('')
    this.box.focus()
  }

  /** Puts a text into the box. */
  fill(text: string) {
    this.box.value = text
    this.typed()
  }

  private typed() {
    const b = this.box
    b.style.height = 'auto'
    b.style.height = Math.min(Math.max(b.scrollHeight, 44), 132) + 'px'
    this.d.draft(b.value)
    this.send()
  }

  say(text: string) {
    if (!text || !this.live) return
    h('p', '', this.live, text)
    while (this.live.childElementCount > 6) this.live.firstChild!.remove()
  }

  private keys(e: KeyboardEvent) {
    if (e.key === 'Escape' && !e.isComposing) {
      e.stopPropagation()
      if (this.menuEl) {
        this.shutMenu()
        this.buttons.more.focus()
      } else this.close()
    } else if (e.key === 'Tab' && !this.page && innerWidth <= 480) this.trap(e)
  }

  /** On phones the panel covers the page: Tab stays inside. */
  private trap(e: KeyboardEvent) {
    const all = this.panel!.querySelectorAll<HTMLElement>('button,textarea,input,a[href],[tabindex="0"]')
    let first: HTMLElement | undefined
    let last: HTMLElement | undefined
    for (let i = 0; i < all.length; i++) {
      if (!all[i].offsetParent) continue
      first = first || all[i]
      last = all[i]
    }
    const at = this.shadow.activeElement
    if (e.shiftKey ? at === first : at === last) {
      e.preventDefault()
      ;(e.shiftKey ? last : first)!.focus()
    }
  }

  menu() {
    if (this.menuEl) return this.shutMenu()
    const m = (this.menuEl = h('div', 'menu', this.panel!))
    m.setAttribute('role', 'menu')
    const items = this.d.menu()
    for (let i = 0; i < items.length; i++) {
      const it = items[i]
      const b = textButton('', '', m, () => {
        this.shutMenu()
        this.buttons.more.focus()
        it[1]()
      })
      b.setAttribute('role', 'menuitem')
      b.appendChild(icon(it[2] as 'save'))
      h('span', '', b, it[0])
    }
    m.addEventListener('keydown', e => {
      const d = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0
      if (!d) return
      e.preventDefault()
      const kids = m.children
      for (let i = 0; i < kids.length; i++) {
        if (kids[i] === this.shadow.activeElement) return (kids[(i + d + kids.length) % kids.length] as HTMLElement).focus()
      }
    })
    this.buttons.more.setAttribute('aria-expanded', 'true')
    ;(m.firstChild as HTMLElement)?.focus()
  }

  private shutMenu() {
    if (this.menuEl) this.menuEl.remove()
    this.menuEl = undefined
    if (this.panel) this.buttons.more.setAttribute('aria-expanded', 'false')
  }

  /** Keeps the panel above the on-screen keyboard of phones. */
  fit() {
    const v = window.visualViewport
    if (!v || !this.panel || innerWidth > 480) return
    this.panel.style.setProperty('--vh', v.height + 'px')
    this.panel.style.setProperty('--vt', v.offsetTop + 'px')
  }
}
