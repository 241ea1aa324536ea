import type { Msg, Out } from './convo'
import { h, iconButton, textButton } from './dom'
import { anchor, inline, md, stableEnd } from './md'
import type { Words } from './lang/en'

export interface ListDeps {
  words(): Words
  locale(): string
  /** The appliance's own file address. */
  own(url: string): boolean
  resend(o: Out): void
  /** Asks again after an answer that could not be made. */
  ask(text: string): void
  rate(seq: number, score: number): void
  rating(): boolean
  copied(text: string): void
  announce(text: string): void
  /** Milliseconds by which the browser's clock differs from the server's. */
  skew(): number
}

/** Longest text whose unfinished part is drawn again on every frame. */
const SMOOTH = 8_000

/**
 * The messages on screen. Durable ones stand in the order of seq, then the
 * answer under way, then what is on its way out. A node that was drawn is never
 * drawn again unless its text changed.
 */
export class List {
  el: HTMLElement
  private seqs: number[] = []
  private nodes = new Map<number, HTMLElement>()
  private outs = new Map<string, HTMLElement>()
  private outBox: HTMLElement
  private live: HTMLElement
  private body?: HTMLElement
  private tail?: HTMLElement
  private done = 0
  private shown = ''
  private spoken = 0
  private text: string | null = null
  private frame = 0
  private last = 0
  private dots?: HTMLElement
  private anchorTo?: HTMLElement
  private lastVisitor?: HTMLElement

  constructor(
    private d: ListDeps,
    readonly box: HTMLElement,
    private moved: (more: boolean) => void,
  ) {
    this.el = h('div', '', box)
    this.live = h('div', '', box)
    this.outBox = h('div', '', box)
    box.addEventListener('scroll', () => this.scrolled(), { passive: true })
  }

  get empty() {
    return !this.seqs.length && !this.outs.size
  }

  clear() {
    this.el.textContent = this.outBox.textContent = ''
    this.seqs = []
    this.nodes.clear()
    this.outs.clear()
    this.lastVisitor = this.anchorTo = undefined
    this.stream(null)
  }

  /** Shows a durable message, in its place. */
  put(m: Msg) {
    const old = this.nodes.get(m.seq)
    const stick = this.atEnd()
    const node = this.draw(m)
    if (old) old.replaceWith(node)
    else {
      let at = this.seqs.length
      while (at > 0 && this.seqs[at - 1] > m.seq) at--
      const next = at < this.seqs.length ? this.nodes.get(this.seqs[at])! : null
      this.el.insertBefore(node, next)
      for (let i = this.seqs.length; i > at; i--) this.seqs[i] = this.seqs[i - 1]
      this.seqs[at] = m.seq
    }
    this.nodes.set(m.seq, node)
    this.runs(node, m)
    if (m.from === 'visitor') {
      this.lastVisitor = node
      if (this.anchorTo && !this.anchorTo.isConnected) this.anchorTo = node
    }
    this.keep(stick)
  }

  private draw(m: Msg): HTMLElement {
    const w = this.d.words()
    const g = h('div', 'g ' + m.from[0])
    g.dataset.from = m.from
    if (m.from === 'visitor') {
      h('span', 'sr', g, w.you)
      this.plain(h('div', 'x', g), m.text)
      const n = h('div', 'n', g)
      this.time(n, m)
      return g
    }
    if (m.from !== 'system') {
      const n = h('div', 'n', g)
      const who = m.from === 'ai' ? w.ai : m.name || w.team
      g.dataset.who = who
      h('span', '', n, who)
      this.time(n, m)
    }
    // What was streamed and read already keeps its nodes.
    const x = this.takeStreamed(m) || h('div', 'x')
    g.appendChild(x)
    if (!x.firstChild) x.appendChild(md(m.text, { img: u => this.d.own(u) }))
    this.sourcesOf(m, g)
    this.finish(m, g, x)
    return g
  }

  private takeStreamed(m: Msg): HTMLElement | undefined {
    if (m.from !== 'ai' || !this.body || this.text !== m.text) {
      if (m.from === 'ai' && this.body && this.text !== null) this.speak(m.text, true)
      return undefined
    }
    this.flush(true)
    const x = this.body
    const t = this.tail!
    while (t.firstChild) x.insertBefore(t.firstChild, t)
    t.remove()
    this.body = undefined
    return x
  }

  private sourcesOf(m: Msg, g: HTMLElement) {
    if (!m.sources) return
    const p = h('p', 'src', undefined, this.d.words().sources)
    for (let i = 0; i < m.sources.length && i < 8; i++) {
      const s = m.sources[i]
      if (!s || typeof s.title !== 'string') continue
      if (/^https?:\/\//i.test(String(s.url))) p.appendChild(anchor(String(s.url), s.title))
      else h('span', '', p, ' ' + s.title)
    }
    if (p.childElementCount) g.appendChild(p)
  }

  private finish(m: Msg, g: HTMLElement, x: HTMLElement) {
    const w = this.d.words()
    if (m.from === 'ai') {
      if (m.finish === 'length' || m.finish === 'stopped') h('p', 'src', g, m.finish === 'length' ? w.cut : w.stopped)
      this.actions(m, g)
    } else if (m.finish === 'error') {
      const asked = this.question(m.seq)
      if (asked) textButton(w.retry, '', x, () => this.d.ask(asked))
    }
  }

  private question(seq: number): string | undefined {
    for (let i = this.seqs.length - 1; i >= 0; i--) {
      const n = this.nodes.get(this.seqs[i])!
      if (this.seqs[i] < seq && n.dataset.from === 'visitor') return n.querySelector('.x')!.textContent || undefined
    }
    return undefined
  }

  private actions(m: Msg, g: HTMLElement) {
    const w = this.d.words()
    const act = h('div', 'act', g)
    iconButton('copy', w.copy, 'i', act, () => this.d.copied(m.text))
    if (!this.d.rating()) return
    const both: HTMLButtonElement[] = []
    const vote = (i: number) => {
      for (let k = 0; k < 2; k++) both[k].setAttribute('aria-pressed', String(k === i))
      this.d.rate(m.seq, i ? 1 : 5)
    }
    both[0] = iconButton('up', w.up, 'i', act, () => vote(0))
    both[1] = iconButton('dn', w.down, 'i', act, () => vote(1))
    for (let k = 0; k < 2; k++) both[k].setAttribute('aria-pressed', 'false')
  }

  /** A visitor's own words: never Markdown, but addresses and own files show. */
  private plain(x: HTMLElement, text: string) {
    const m = /^(!?)\[([^\]\n]{0,300})\]\(([^()\s]{1,1000})\)$/.exec(text)
    if (m && this.d.own(m[3])) {
      const pic = /\.(png|jpe?g|gif|webp)$/i.test(m[2]) || m[1]
      inline((pic ? '!' : '') + '[' + m[2].replace(/[\\`*_~\[\]]/g, '\\$&') + '](' + m[3] + ')', n => x.appendChild(n), { img: u => this.d.own(u) }, 4)
      const img = x.querySelector('img')
      if (img) img.alt = m[2]
    } else x.textContent = text
  }

  private time(n: HTMLElement, m: Msg) {
    const t = h('time', '', n)
    const at = m.at ? Date.parse(m.at) : Date.now() + this.d.skew()
    if (isNaN(at)) return
    const d = new Date(at)
    t.dateTime = d.toISOString()
    try {
      t.textContent = d.toLocaleTimeString(this.d.locale(), { hour: '2-digit', minute: '2-digit' })
      t.title = d.toLocaleString(this.d.locale())
    } catch {
      t.textContent = t.dateTime.slice(11, 16)
    }
    n.parentElement!.dataset.day = d.toDateString()
  }

  /** Names only the first of a run of messages and parts the days. */
  private runs(node: HTMLElement, m: Msg) {
    const prev = node.previousElementSibling as HTMLElement | null
    const next = node.nextElementSibling as HTMLElement | null
    if (prev && prev.dataset.who && prev.dataset.who === node.dataset.who && m.from !== 'ai') node.classList.add('run')
    if (next && next.dataset.who && next.dataset.who === node.dataset.who && m.from !== 'ai') next.classList.add('run')
    if (prev && prev.dataset.day && node.dataset.day && prev.dataset.day !== node.dataset.day && m.at) {
      const d = h('div', 'day')
      try {
        d.textContent = new Date(m.at).toLocaleDateString(this.d.locale(), { weekday: 'long', day: 'numeric', month: 'long' })
      } catch {
        d.textContent = m.at.slice(0, 10)
      }
      node.insertBefore(d, node.firstChild)
    }
  }

  /** Shows a message on its way out, or takes it away. */
  out(o: Out, gone?: boolean) {
    const had = this.outs.get(o.id)
    if (gone) {
      this.outs.delete(o.id)
      if (had) had.remove()
      return
    }
    const w = this.d.words()
    const g = h('div', 'g v')
    this.plain(h('div', 'x', g), o.x)
    const n = h('div', o.fail ? 'n bad' : 'n', g)
    if (o.fail) {
      n.setAttribute('role', 'alert')
      h('span', '', n, o.fail.trim() || w.unsent)
      textButton(w.retry, '', n, () => this.d.resend(o))
    } else h('span', 'wait', n, w.sending)
    if (had) had.replaceWith(g)
    else this.outBox.appendChild(g)
    this.outs.set(o.id, g)
    if (!had) this.toEnd()
  }

  /** The answer under way: its whole text so far, drawn once a frame. */
  stream(text: string | null) {
    if (text === null) {
      this.speak(this.text || '', true)
      this.text = null
      this.live.textContent = ''
      this.body = this.tail = undefined
      return
    }
    if (!this.body || !text.startsWith(this.shown)) this.begin()
    this.text = text
    if (!this.frame) this.frame = requestAnimationFrame(() => this.flush(false))
    // A hidden page gets no frames; it catches up when it is seen again.
  }

  private begin() {
    const w = this.d.words()
    this.setDots(null)
    this.live.textContent = ''
    const g = h('div', 'g a', this.live)
    h('span', '', h('div', 'n', g), w.ai)
    this.body = h('div', 'x', g)
    this.tail = h('div', '', this.body)
    this.tail.style.display = 'contents'
    this.done = this.spoken = 0
    this.shown = ''
    this.anchorTo = this.lastVisitor || g
  }

  private flush(final: boolean) {
    this.frame = 0
    const s = this.text
    if (s === null || !this.body || (s === this.shown && !final)) return
    const now = performance.now()
    if (!final && s.length - this.done > SMOOTH && now - this.last < 150) {
      this.frame = requestAnimationFrame(() => this.flush(false))
      return
    }
    this.last = now
    const stick = this.atEnd()
    const o = { img: (u: string) => this.d.own(u) }
    const cut = stableEnd(s, this.done)
    if (cut > this.done) {
      this.body.insertBefore(md(s.slice(this.done, cut), o), this.tail!)
      this.done = cut
    }
    this.tail!.textContent = ''
    this.tail!.appendChild(md(s.slice(this.done), o))
    this.shown = s
    this.speak(s, false)
    this.keep(stick)
  }

  /** Tells screen readers finished sentences, each once. */
  private speak(s: string, all: boolean) {
    let end = all ? s.length : this.spoken
    if (!all) {
      const re = /[.!?。！？…؟](?=\s)|[。！？]|\n/g
      re.lastIndex = this.spoken
      while (re.exec(s)) end = re.lastIndex
    }
    const t = s.slice(this.spoken, end).replace(/[*_`#>|~]/g, '').trim()
    this.spoken = all ? 0 : end
    if (t) this.d.announce(t)
  }

  /** Three dots with a word beside them; null takes them away. */
  setDots(note: string | null) {
    if (note === null) {
      if (this.dots) this.dots.remove()
      this.dots = undefined
      return
    }
    if (this.body) return
    if (!this.dots) {
      const g = (this.dots = h('div', 'g a', this.live))
      h('span', '', h('div', 'n', g), '')
      const d = h('div', 'dots', g)
      for (let i = 0; i < 3; i++) h('i', '', d)
      h('span', '', d)
      this.keep(true)
    }
    const kids = this.dots.lastElementChild!
    kids.lastElementChild!.textContent = note
  }

  /** Marks the newest own message as arrived. */
  atEnd(): boolean {
    const b = this.box
    return b.scrollHeight - b.scrollTop - b.clientHeight < 48
  }

  toEnd() {
    this.anchorTo = undefined
    this.box.scrollTop = this.box.scrollHeight
  }

  /**
   * Follows what grows, but only until the question that is being answered
   * reaches the top: what someone reads must not move away under the eyes.
   */
  private keep(stick: boolean) {
    const b = this.box
    if (stick) {
      const end = b.scrollHeight - b.clientHeight
      const a = this.anchorTo
      const limit = a && a.isConnected ? a.offsetTop - b.offsetTop - 12 : end
      const to = Math.min(end, Math.max(limit, b.scrollTop))
      if (to > b.scrollTop) b.scrollTop = to
    }
    this.scrolled()
  }

  private scrolled() {
    this.moved(!this.atEnd())
  }
}
