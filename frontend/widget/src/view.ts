import css from './style.css?inline'
import { attr, button, h, icon, ICONS, named } from './dom'
import { messageList, type List } from './list'
import { md } from './md'
import { textOn } from './theme'
import type { App } from './types'

export type View = ReturnType<typeof createView>

/** What is there once the panel is; only `panel` and `list` may be asked for before. */
interface Built {
  panel?: HTMLElement
  list?: List
  head: HTMLElement
  scroll: HTMLElement
  avatar: HTMLElement
  form: HTMLElement
  human: HTMLElement
  foot: HTMLElement
  row: HTMLElement
  box: HTMLTextAreaElement
}

/**
 * Everything that is drawn: bubble and panel in a closed shadow root. The
 * panel is built when it is opened for the first time.
 */
export function createView(app: App, page: boolean) {
  const host = document.createElement('haoke-chat')
  const shadow = host.attachShadow({ mode: 'closed' })
  const sheets: CSSStyleSheet[] = []
  // A constructable sheet needs no permission of the page's style-src; browsers
  // from before it take a style element.
  const style = (text: string) => {
    try {
      const s = new CSSStyleSheet()
      s.replaceSync(text)
      sheets[sheets.length] = s
      shadow.adoptedStyleSheets = sheets
      return (t: string) => s.replaceSync(t)
    } catch {
      const e = h('style', '', shadow, text)
      return (t: string) => void (e.textContent = t)
    }
  }
  style(css)
  const paint = style('')
  const root = h('section', '', shadow)
  const launcher = button('l', root, () => (me.isOpen ? me.close() : me.open()), '', ICONS.chat)
  const label = h('span', '', launcher)
  const badge = h('b', '', launcher)
  let count = 0
  let back: HTMLElement | null
  let titleEl: HTMLElement
  let state: HTMLElement
  let banner: HTMLElement
  let intro: HTMLElement
  let quick: HTMLElement
  let go: HTMLButtonElement
  let closeBtn: HTMLButtonElement
  let over: HTMLElement
  let live: HTMLElement

  const max = () => +app.site.maxChars! || 4000
  const dark = matchMedia('(prefers-color-scheme:dark)')

  const face = (b: Element, d: keyof typeof ICONS) => b.replaceChild(icon(ICONS[d]), b.firstChild!)

  const nameLauncher = () => {
    const w = app.words
    const s = app.site
    const text = (!me.isOpen && s.launcher) || ''
    label.textContent = text
    label.hidden = !text
    // The button's name repeats what is seen, words apart (WCAG 2.5.3).
    const n = count > 99 ? '99+' : count + ''
    badge.textContent = ' ' + n
    badge.hidden = !count || me.isOpen
    launcher.hidden = page || (!!s.hidden && !me.isOpen)
    attr(launcher, 'aria-expanded', me.isOpen)
    named(launcher, me.isOpen ? w.close : (text || (s.title || '') + ' ' + w.chat) + (count ? ', ' + w.unread.replace('{n}', n) : ''))
    face(launcher, me.isOpen ? 'down' : 'chat')
  }

  const updateGo = () => {
    const w = app.words
    const text = me.box.value.trim()
    const stop = !text && me.busy
    const more = text.length - max()
    over.textContent = more > 0 ? w.over.replace('{n}', more + '') : ''
    face(go, stop ? 'stop' : 'send')
    named(go, stop ? w.stop : w.send)
    attr(go, 'aria-disabled', !stop && (!text || more > 0))
  }

  const submit = () => {
    const text = me.box.value.trim()
    if (!text && me.busy) app.link.send({ type: 'stop' })
    else if (text && text.length <= max() && app.say(text)) me.fill('')
    me.box.focus()
  }

  const words = () => {
    const w = app.words
    const s = app.site
    const title = String(s.title || w.chat)
    named(closeBtn, w.close)
    me.human.lastChild!.textContent = w.human
    me.box.placeholder = w.ph
    attr(me.box, 'aria-label', w.ph)
    titleEl.textContent = title
    me.avatar.textContent = (/./u.exec(title) || w.ai)[0]
    intro.textContent = ''
    h('span', '', h('div', 'n', intro), w.ai)
    md(String(s.greeting || w.hello), h('div', 'x', intro))
    quick.textContent = ''
    const q: any = typeof s.quick == 'string' ? s.quick.split('|') : s.quick
    for (let i = 0; Array.isArray(q) && i < q.length && i < 8; i++) {
      const t = String(q[i]).slice(0, 200)
      button('pill', quick, () => {
        app.say(t)
        me.box.focus()
      }, t)
    }
    me.refresh()
  }

  const build = () => {
    const p = (me.panel = h('div', 'p'))
    root.insertBefore(p, launcher)
    p.id = 'p'
    attr(p, 'role', 'dialog')
    attr(p, 'aria-labelledby', 't')
    attr(launcher, 'aria-controls', 'p')
    const head = (me.head = h('header', '', p))
    me.avatar = h('div', 'av', head)
    attr(me.avatar, 'aria-hidden', 'true')
    const who = h('div', 'who', head)
    titleEl = h('h2', '', who)
    titleEl.id = 't'
    state = h('p', '', who)
    closeBtn = button('i', head, () => me.close(), '', ICONS.close)
    closeBtn.hidden = page
    banner = h('div', 'b', p)
    attr(banner, 'role', 'status')
    const box = (me.scroll = h('div', 'm', p))
    box.tabIndex = 0
    attr(box, 'role', 'log')
    attr(box, 'aria-labelledby', 't')
    // Pieces of an answer are not read out; finished sentences are, below.
    attr(box, 'aria-live', 'off')
    intro = h('div', 'g a', box)
    quick = h('div', 'q', box)
    live = h('div', 'sr', p)
    attr(live, 'aria-live', 'polite')
    const f = (me.form = h('div', 'f', p))
    me.list = messageList(app, box)
    const row = (me.row = h('div', 'row', f))
    me.box = h('textarea', '', row)
    me.box.rows = 1
    attr(me.box, 'enterkeyhint', 'send')
    me.box.dir = 'auto'
    go = button('i go', row, submit, '', ICONS.send)
    const foot = h('div', 'foot', f)
    h('span', '', (me.human = button('', foot, app.human)))
    over = h('span', 'err', foot)
    attr(over, 'role', 'status')
    me.foot = foot
    me.box.addEventListener('input', () => me.typed())
    p.addEventListener('keydown', e => {
      // A key that belongs to an input method must not send or close (229: Safari).
      if (e.isComposing || e.keyCode == 229) return
      if (e.key == 'Enter' && e.target == me.box && !e.shiftKey) {
        e.preventDefault()
        submit()
      }
      if (e.key == 'Escape') me.close()
    })
    // Pages that listen for shortcuts must not hear what is typed here.
    p.onkeydown = p.onkeyup = p.onkeypress = e => e.stopPropagation()
    words()
  }

  const me = {
    dark,
    host,
    root,
    launcher,
    shadow,
    style,
    ...(0 as unknown as Built),
    isOpen: false,
    /** An answer is being made: the send button stops it. */
    busy: false,
    /** Who answers, where it is a person with a name. */
    operator: '',
    /** '' or the sentence above the messages. */
    line: '' as '' | 'lost' | 'gone',

    /** Draws colours, sides and words again, after settings or language changed. */
    look() {
      const s = app.site
      const c = /^#([0-9a-f]{3}){1,2}$/i.test(s.color || '') ? s.color! : '#0f7b6c'
      const isDark = s.theme == 'dark' || (s.theme != 'light' && dark.matches)
      const px = (v: unknown) => (v != null && +v! >= 0 ? +v! : 20) + 'px'
      paint(`.hk{--c:${c};--on:${textOn(c)};--ox:${px(s.offsetX)};--oy:${px(s.offsetY)};--z:${+s.zIndex! || 2147483000}}`)
      root.className = 'hk' + (isDark ? ' dark' : '') + (s.side == 'left' ? ' left' : '') + (page ? ' page' : '') + (me.isOpen ? ' open' : '')
      root.dir = app.locale == 'ar' ? 'rtl' : 'ltr'
      root.lang = app.locale
      attr(root, 'aria-label', s.title || app.words.chat)
      nameLauncher()
      if (me.panel) words()
    },
    unread(n: number) {
      count = n
      nameLauncher()
    },
    open() {
      if (me.isOpen) return
      me.isOpen = true
      back = document.activeElement as HTMLElement
      if (!me.panel) build()
      me.panel!.hidden = false
      me.look()
      app.opened()
      me.list!.toEnd()
      me.focus()
    },
    close() {
      if (!me.isOpen || page) return
      me.isOpen = false
      me.panel!.hidden = true
      me.look()
      app.closed()
      // Back to where the visitor was, unless that is gone or was nowhere.
      if (back && back != document.body && back != host && back.isConnected) back.focus()
      else launcher.focus()
    },
    focus() {
      me.box.focus({ preventScroll: true })
    },
    /** Draws what depends on the state of things. */
    refresh() {
      if (!me.panel) return
      const w = app.words
      const s = app.site
      const m = app.mode
      state.textContent = m == 'human' ? me.operator || w.sHuman : m == 'waiting' ? w.sWait : m == 'offline' ? w.sOff : s.hours || w.sAi
      banner.textContent = me.line && w[me.line]
      banner.hidden = !me.line
      quick.hidden = !me.list!.empty() || me.row.hidden
      me.human.hidden = s.human === false || m != 'ai' || me.row.hidden
      updateGo()
    },
    setBusy(b: boolean) {
      me.busy = b
      me.refresh()
    },
    /** Puts a text into the box. */
    fill(text: string) {
      me.box.value = text
      me.typed()
    },
    typed() {
      const b = me.box
      b.style.height = 'auto'
      b.style.height = Math.min(Math.max(b.scrollHeight, 40), 128) + 'px'
      if (app.typed) app.typed(b.value)
      updateGo()
    },
    /** Tells it to screen readers. */
    say(text: string) {
      text = text.trim()
      if (!text || !live) return
      h('p', '', live, text)
      if (live.childNodes.length > 6) live.firstChild!.remove()
    },
  }
  return me
}
