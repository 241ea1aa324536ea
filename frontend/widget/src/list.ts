import type { Msg } from './convo'
import { attr, button, h } from './dom'
import { inline, md, stableEnd } from './md'
import type { Out } from './store'
import type { App } from './types'

export type List = ReturnType<typeof messageList>

/**
 * The messages on screen. Durable ones stand in the order of seq, then the
 * answer under way, then what is on its way out. What was drawn and read is
 * not drawn again unless its text changed.
 */
export function messageList(app: App, box: HTMLElement) {
  const all = h('div', '', box)
  const live = h('div', '', box)
  const out = h('div', '', box)
  const nodes = new Map<number, HTMLElement>()
  const outs = new Map<string, HTMLElement>()
  let question: HTMLElement | undefined
  let target: HTMLElement | undefined
  let dots: HTMLElement | undefined
  // The answer under way: its text, what of it is drawn, and where.
  let text: string | null = null
  let body: HTMLElement | undefined
  let tail: HTMLElement
  let done = 0
  let shown = ''
  let frame = 0
  let last = 0
  let cost = 0

  const atEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < 48
  const toEnd = () => {
    target = undefined
    box.scrollTop = box.scrollHeight
  }
  // Follows what grows, but only until the question that is being answered
  // reaches the top: what someone reads must not move away under the eyes.
  const follow = (stick: boolean) => {
    if (stick) {
      const limit = target && target.isConnected ? target.offsetTop - box.offsetTop - 12 : 1e9
      box.scrollTop = Math.max(box.scrollTop, Math.min(limit, box.scrollHeight))
    }
  }

  const group = (from: string, to: Node | null, who?: string, cls = from[0]) => {
    const g = h('div', 'g ' + cls, to)
    if (who) h('span', '', h('div', 'n', g), who)
    return g
  }

  // A visitor's own words are never Markdown, but own files show.
  const plain = (s: string, x: HTMLElement) => {
    if (app.own(s.split('](')[1] || '')) inline(s, x, app, 4)
    else x.textContent = s
  }

  const flush = (final?: boolean) => {
    cancelAnimationFrame(frame)
    frame = 0
    if (!body || text == null || text == shown) return
    const now = performance.now()
    // Drawing may take a fifth of the time: long answers are drawn less often.
    if (!final && now - last < cost * 5) return void (frame = requestAnimationFrame(() => flush()))
    last = now
    const stick = atEnd()
    const cut = stableEnd(text, done)
    if (cut > done) {
      md(text.slice(done, cut), body, app)
      body.appendChild(tail)
      done = cut
    }
    tail.textContent = ''
    md(text.slice(done), tail, app)
    shown = text
    app.speak(text)
    follow(stick)
    cost = performance.now() - now
  }

  const draw = (m: Msg) => {
    const w = app.words
    const from = m.from
    const g = group(from, null, from == 'ai' ? w.ai : from == 'operator' ? String(m.name || w.team) : '')
    let x: HTMLElement
    attr(g, 'data-from', from)
    if (from == 'ai' && body && text == m.text) {
      // What was streamed and read already keeps its nodes.
      flush(true)
      app.speak(text, true)
      g.appendChild((x = body))
      while (tail.firstChild) x.appendChild(tail.firstChild)
      tail.remove()
      body = undefined
    } else {
      if (from == 'visitor') h('span', 'sr', g, w.you)
      x = h('div', 'x', g)
      if (from == 'visitor') plain(m.text, x)
      else md(m.text, x, app)
    }
    if (app.dress) app.dress(m, g, x)
    return g
  }

  return {
    atEnd,
    toEnd,
    /** Whether nothing has been said yet. */
    empty: () => !nodes.size && !outs.size,
    /** Where lines of our own go that are not messages. */
    all,
    /** Shows a durable message, in its place. */
    put(m: Msg) {
      const old = nodes.get(m.seq)
      const stick = atEnd()
      const node = draw(m)
      if (old) old.replaceWith(node)
      else {
        let next: HTMLElement | undefined
        for (let i = m.seq + 1; i <= m.seq + 99 && !next; i++) next = nodes.get(i)
        all.insertBefore(node, next || null)
      }
      nodes.set(m.seq, node)
      if (m.from == 'visitor') question = node
      follow(stick)
    },
    /** Shows a message on its way out, or takes it away. */
    out(o: Out, gone?: boolean) {
      const had = outs.get(o.id)
      if (gone) {
        outs.delete(o.id)
        return had && had.remove()
      }
      const w = app.words
      const g = group('visitor', null)
      plain(o.x, h('div', 'x', g))
      const n = h('div', o.f ? 'n bad' : 'n wait', g, o.f ? '' : w.sending)
      if (o.f) {
        attr(n, 'role', 'alert')
        h('span', '', n, o.f.trim() || w.unsent)
        button('', n, () => app.convo.again(o), w.retry)
      }
      outs.set(o.id, g)
      if (had) return had.replaceWith(g)
      out.appendChild(g)
      toEnd()
    },
    /** The answer under way: its whole text so far, drawn once a frame. */
    stream(s: string | null) {
      if (s == null) {
        if (body && text) app.speak(text, true)
        text = body = undefined as any
        live.textContent = ''
        dots = undefined
        return
      }
      if (!body || s.slice(0, shown.length) != shown) {
        live.textContent = ''
        dots = undefined
        target = question
        body = h('div', 'x', group('ai', live, app.words.ai))
        tail = h('div', 'tail', body)
        done = 0
        shown = ''
      }
      text = s
      // A hidden page gets no frames; the durable message brings it up to date.
      frame = frame || requestAnimationFrame(() => flush())
    },
    /** Draws the answer under way again, from its start; dots stay as they are. */
    again() {
      if (!body) return
      body = undefined
      this.stream(text)
      flush(true)
    },
    /** Three dots with a word beside them; null takes them away. */
    dots(note: string | null) {
      if (note == null || body) {
        if (dots) dots.remove()
        dots = undefined
        return
      }
      if (!dots) {
        const d = h('div', 'dots', (dots = group('ai', live)))
        for (let i = 0; i < 4; i++) h(i < 3 ? 'i' : 'span', '', d)
        follow(true)
      }
      dots.firstChild!.lastChild!.textContent = note
    },
    clear() {
      all.textContent = out.textContent = ''
      nodes.clear()
      outs.clear()
      question = target = undefined
    },
  }
}
