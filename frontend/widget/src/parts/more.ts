import css from './more.css?inline'
import type { Msg } from '../convo'
import { attr, button, h, icon, ICONS, named } from '../dom'
import { tell } from '../context'
import { hand } from '../hand'
import { link, safeUrl } from '../md'
import { rich } from '../rich'
import { routes } from '../route'
import { readable } from '../theme'
import type { App } from '../types'

const ICON = {
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  copy: 'M9 9h11v11H9ZM5 15H4V4h11v1',
  up: 'M7 10v11M15 6l-1 4h6a2 2 0 0 1 2 2l-2 7a2 2 0 0 1-2 2H4a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1h3l4-7a3 3 0 0 1 4 3Z',
  down: 'M17 14V3M9 18l1-4H4a2 2 0 0 1-2-2l2-7a2 2 0 0 1 2-2h14a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-3l-4 7a3 3 0 0 1-4-3Z',
  fresh: 'M12 5v14M5 12h14',
  save: 'M12 4v11m-5-5 5 5 5-5M5 20h14',
  star: 'm12 3 2.8 5.7 6.2.9-4.5 4.4 1.1 6.2L12 17.3 6.4 20.2l1.1-6.2L3 9.6l6.2-.9Z',
  sound: 'M11 5 6 9H3v6h3l5 4ZM15.5 8.5a5 5 0 0 1 0 7M18.5 5.5a9 9 0 0 1 0 13',
  clip: 'm20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.5 3.5 0 0 1 5 5l-8.5 8.5a2 2 0 0 1-3-3L14 7',
  person: 'M19 21a7 7 0 0 0-14 0M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8',
  face: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M8.5 14a4.5 4.5 0 0 0 7 0M9 9.5h.01M15 9.5h.01',
}

/**
 * The comforts: what a chat is pleasanter with, but works without. Loaded
 * when the panel opens, or when an earlier conversation goes on.
 */
hand(app => {
  if (!app.ring) {
    app.on('mode', was => {
      if (app.mode == 'human') app.emit('handoff:joined')
      if (was == 'human') app.emit('handoff:ended')
    })
    app.ring = bell(app)
    app.titled = title()
    app.titled(app.unread)
    // Which page the visitor is on, also where pages change without a load.
    app.on('shutdown', routes(() => tell(app)))
  }
  if (!app.view.panel || app.dress) return
  app.view.style(css)
  app.rich = rich
  // An answer under way is drawn again with everything; dots of an early question stay.
  app.view.list!.again()
  const skew = clock(app)
  app.dress = (m, g, x) => {
    stamp(app, m, g, x, skew)
    ending(app, m, g, x)
    if (m.from == 'ai') actions(app, m, g)
  }
  menu(app)
  tools(app)
  app.view.human.prepend(icon(ICON.person))
  trap(app)
  down(app)
  speech(app)
  typing(app)
  looks(app)
  app.view.look()
  app.convo.msgs.forEach(m => app.view.list!.put(m))
  app.view.list!.toEnd()
})

/** Puts the number of unread messages before the page's title. */
function title() {
  let had = ''
  return (n: number) => {
    const t = document.title
    const own = had && !t.indexOf(had) ? t.slice(had.length) : t
    had = n ? '(' + n + ') ' : ''
    if (t != had + own) document.title = had + own
  }
}

/** Two soft tones. The browser lets them sound only after a gesture of the visitor. */
function bell(app: App) {
  let audio: AudioContext | undefined
  // One tab rings: a visible one at once, hidden ones only if none has.
  return (seq: number) =>
    setTimeout(
      () => {
        if ((app.store.reload().s || 0) >= seq) return
        app.store.save({ s: seq })
        tones()
      },
      document.hidden ? 60 + Math.random() * 200 : 0,
    )
  function tones() {
    if (app.site.sound === false || app.store.saved.m) return
    try {
      const a = (audio = audio || new AudioContext())
      if (a.state != 'running') void a.resume()
      for (let i = 0; i < 2; i++) {
        const o = a.createOscillator()
        const g = a.createGain()
        const at = a.currentTime + i * 0.12
        o.frequency.value = i ? 880 : 660
        g.gain.setValueAtTime(0.01, at)
        g.gain.exponentialRampToValueAtTime(0.08, at + 0.02)
        g.gain.exponentialRampToValueAtTime(0.01, at + 0.3)
        o.connect(g)
        g.connect(a.destination)
        o.start(at)
        o.stop(at + 0.32)
      }
      app.emit('sound')
    } catch {
      /* a browser without sound */
    }
  }
}

/** The accent that reads on every ground, the picture in the header, room for the on-screen keyboard. */
function looks(app: App) {
  const v = app.view
  const paint = v.style('')
  const by = h('span', '', v.foot)
  const look = v.look
  v.look = () => {
    look()
    by.textContent = app.site.poweredBy ? 'Haoke' : ''
    const c = getComputedStyle(v.root)
    const color = c.getPropertyValue('--c').trim()
    // The harder of surface and ground counts.
    paint(`.hk{--acc:${readable(color, v.root.classList.contains('dark') ? '#262422' : '#f3f1ee')}}`)
    const url = String(app.site.avatar || '')
    if (!/^(https?:\/)?\//i.test(url)) return
    const img = h('img')
    img.alt = ''
    img.onload = () => v.avatar.replaceChildren(img)
    img.src = url
  }
  const p = v.panel!
  const port = window.visualViewport
  const fit = () => {
    p.style.setProperty('--vh', port!.height + 'px')
    p.style.setProperty('--vt', port!.offsetTop + 'px')
  }
  if (!port) return
  port.addEventListener('resize', fit)
  port.addEventListener('scroll', fit)
  fit()
}

/** What an answer rests on and how it ended. */
function ending(app: App, m: Msg, g: HTMLElement, x: HTMLElement) {
  const src = m.sources
  const end = m.finish
  if (Array.isArray(src) && src.length) {
    const p = h('p', 'src', g, app.t('sources', 'Sources'))
    for (let i = 0; i < src.length && i < 8; i++) {
      const { title, url } = src[i] || {}
      if (!title) continue
      if (safeUrl(String(url))) link(url!, p, String(title))
      else h('span', '', p, String(title))
    }
  }
  if (m.from == 'ai' && end == 'length') h('p', 'src', g, app.t('cut', 'The answer was too long and ends here.'))
  if (m.from == 'ai' && end == 'stopped') h('p', 'src', g, app.t('stopped', 'Stopped'))
  if (m.from == 'system' && end == 'error') {
    button('', x, () => {
      for (let i = m.seq; i > 0; i--) {
        const q = app.convo.msgs.get(i)
        if (q && q.from == 'visitor') return void app.say(q.text)
      }
    }, app.words.retry)
  }
}

/** By how much the browser's clock is wrong, learnt from the first live message. */
function clock(app: App): () => number {
  let skew = 0
  app.on('message:received', (d: { seq: number }) => {
    const at = Date.parse(app.convo.msgs.get(d.seq)?.at || '')
    if (at && Math.abs(at - Date.now()) > 120_000) skew = at - Date.now()
  })
  return () => skew
}

function stamp(app: App, m: Msg, g: HTMLElement, x: HTMLElement, skew: () => number) {
  const d = new Date(m.at ? Date.parse(m.at) : Date.now() + skew())
  if (isNaN(+d) || m.from == 'system') return
  const t = h('time')
  t.dateTime = d.toISOString()
  t.textContent = d.toLocaleTimeString(app.locale, { hour: '2-digit', minute: '2-digit' })
  t.title = d.toLocaleString(app.locale)
  if (m.from == 'visitor') g.insertBefore(t, x)
  else g.firstChild!.appendChild(t)
  g.onclick = () => void g.classList.toggle('tap')
  const prev = app.convo.msgs.get(m.seq - 1)
  if (prev && prev.at && m.at && new Date(prev.at).toDateString() != d.toDateString()) {
    g.insertBefore(h('div', 'day', null, d.toLocaleDateString(app.locale, { weekday: 'long', day: 'numeric', month: 'long' })), g.firstChild)
  }
}

function iconButton(d: string, label: string, cls: string, parent: Node | null, fn: () => void) {
  const b = button(cls, parent, fn, '', d)
  named(b, label)
  return b
}

function actions(app: App, m: Msg, g: HTMLElement) {
  const act = h('div', 'act', g)
  iconButton(ICON.copy, app.t('copy', 'Copy'), 'i', act, () => copy(app, m.text))
  if (app.site.rating === false) return
  const both: HTMLButtonElement[] = []
  const vote = (i: number) => {
    for (let k = 0; k < 2; k++) attr(both[k], 'aria-pressed', k == i)
    const r = { seq: m.seq, score: i ? 1 : 5 }
    app.link.send({ type: 'rate', ...r })
    app.emit('rating', r)
    app.view.say(app.t('thanks', 'Thank you'))
    if (i) app.part('forms', 'why', m.seq, g)
  }
  both[0] = iconButton(ICON.up, app.t('up', 'Helpful'), 'i', act, () => vote(0))
  both[1] = iconButton(ICON.down, app.t('down', 'Not helpful'), 'i', act, () => vote(1))
  for (let k = 0; k < 2; k++) attr(both[k], 'aria-pressed', false)
}

function copy(app: App, text: string) {
  const done = () => app.view.say(app.t('copied', 'Copied'))
  // The clipboard is missing on plain HTTP.
  if (navigator.clipboard) return void navigator.clipboard.writeText(text).then(done, () => {})
  const t = h('textarea', 'sr', app.view.root)
  t.value = text
  t.select()
  document.execCommand('copy')
  t.remove()
  done()
}

function menu(app: App) {
  const v = app.view
  let open: HTMLElement | undefined
  const shut = () => {
    if (open) open.remove()
    open = undefined
    attr(b, 'aria-expanded', false)
  }
  const b = iconButton(ICON.more, '', 'i', null, () => (open ? shut() : show()))
  v.head.insertBefore(b, v.head.lastChild)
  attr(b, 'aria-haspopup', 'menu')
  attr(b, 'aria-expanded', false)
  const look = v.look
  v.look = () => {
    look()
    named(b, app.t('more', 'More'))
  }
  const show = () => {
    const m = (open = h('div', 'menu', v.panel!))
    attr(m, 'role', 'menu')
    const item = (d: string, text: string, fn: () => void) => {
      const i = button('', m, () => (shut(), b.focus(), fn()), '', d)
      h('span', '', i, text)
      attr(i, 'role', 'menuitem')
    }
    const any = app.convo.top() > 0
    item(ICON.fresh, app.t('fresh', 'New conversation'), () => app.part('api', 'newConversation'))
    if (any && app.site.transcript !== false) item(ICON.save, app.t('save', 'Download transcript'), () => app.part('forms', 'save'))
    if (any && app.site.rating !== false) item(ICON.star, app.t('rate', 'Rate this conversation'), () => app.part('forms', 'rate'))
    const muted = app.store.saved.m
    if (app.site.sound !== false) item(ICON.sound, muted ? app.t('unmute', 'Turn sound on') : app.t('mute', 'Turn sound off'), () => app.store.save({ m: !muted }))
    attr(b, 'aria-expanded', true)
    ;(m.firstChild as HTMLElement).focus()
    m.onkeydown = e => {
      const step = e.key == 'ArrowDown' ? 1 : e.key == 'ArrowUp' ? -1 : 0
      if (e.key == 'Escape') {
        shut()
        b.focus()
        e.stopPropagation()
      }
      if (e.key == 'Tab') shut()
      if (!step) return
      e.preventDefault()
      const kids = m.children
      for (let i = 0; i < kids.length; i++) if (kids[i] == v.shadow.activeElement) return (kids[(i + step + kids.length) % kids.length] as HTMLElement).focus()
    }
  }
  v.panel!.addEventListener('click', e => {
    const t = e.target as Node
    if (open && !open.contains(t) && !b.contains(t)) shut()
  })
}

/** Buttons for emoji and files beside the box, and files by drop and paste. */
function tools(app: App) {
  const v = app.view
  const face = iconButton(ICON.face, '', 'i', null, () => app.part('emoji', face))
  const clip = iconButton(ICON.clip, '', 'i', null, () => app.part('files'))
  v.row.insertBefore(face, v.row.lastChild)
  v.row.insertBefore(clip, v.row.firstChild)
  attr(face, 'aria-expanded', false)
  const look = v.look
  v.look = () => {
    look()
    clip.hidden = !app.site.upload
    // Phones have their own emoji a key away.
    face.hidden = app.site.emoji === false || matchMedia('(pointer:coarse)').matches
    named(clip, app.t('attach', 'Attach a file'))
    named(face, app.t('emoji', 'Emoji'))
  }
  const take = (t: DataTransfer | null, e: Event) => {
    if (!t || !t.files.length || !app.site.upload) return
    e.preventDefault()
    app.part('files', t.files)
  }
  const p = v.panel!
  p.addEventListener('dragover', e => {
    if (!app.site.upload) return
    e.preventDefault()
    p.classList.add('drop')
  })
  p.addEventListener('dragleave', () => p.classList.remove('drop'))
  p.addEventListener('drop', e => {
    p.classList.remove('drop')
    take(e.dataTransfer, e)
  })
  v.box.addEventListener('paste', e => take(e.clipboardData, e))
}

/** A button that goes to the end, while that is out of sight. */
function down(app: App) {
  const { view } = app
  const l = view.list!
  const b = iconButton(ICONS.down, '', 'i down', view.form, () => l.toEnd())
  const look = view.look
  view.look = () => {
    look()
    named(b, app.t('latest', 'Latest message'))
  }
  const moved = () => void (b.hidden = l.atEnd())
  view.scroll.addEventListener('scroll', moved, { passive: true })
  new MutationObserver(moved).observe(view.scroll, { childList: true, subtree: true })
  moved()
}

/** Tells screen readers finished sentences, each once. */
function speech(app: App) {
  let spoken = 0
  let before = ''
  app.speak = (s, whole) => {
    if (s.slice(0, before.length) != before) spoken = 0
    let end = whole ? s.length : spoken
    const re = /[.!?…؟](?=\s)|[。！？\n]/g
    re.lastIndex = spoken
    while (!whole && re.exec(s)) end = re.lastIndex
    app.view.say(s.slice(spoken, end).replace(/[*_`#>|~]/g, ''))
    spoken = whole ? 0 : end
    before = whole ? '' : s
  }
}

/** Lets the other side know that words are on their way: a burst is answered as one. */
function typing(app: App) {
  let at = 0
  let end = 0
  const stop = () => {
    clearTimeout(end)
    if (at) app.link.send({ type: 'typing', on: false })
    at = 0
  }
  // What was not sent survives a reload of the page.
  const v = app.view
  const draft = app.store.tab(':d')
  if (draft && !v.box.value) v.fill(String(draft))
  app.typed = text => {
    app.store.tab(':d', text)
    if (!text) return stop()
    const now = performance.now()
    if (!at || now - at > 2_000) at = app.link.send({ type: 'typing', on: true }) ? now : 0
    clearTimeout(end)
    end = setTimeout(stop, 4_000)
  }
  if (v.box.value) app.store.tab(':d', v.box.value)
  // Else a server that waits for the visitor's next words would go on waiting.
  app.on('message:sent', stop)
}

/** On phones the panel covers the page: Tab stays inside. */
function trap(app: App) {
  const v = app.view
  v.panel!.addEventListener('keydown', e => {
    if (e.key != 'Tab' || innerWidth > 480) return
    const all = v.panel!.querySelectorAll<HTMLElement>('button,textarea,input,a[href],[tabindex="0"]')
    let first: HTMLElement | undefined
    let last: HTMLElement | undefined
    for (let i = 0; i < all.length; i++) {
      if (!all[i].offsetParent) continue
      first = first || all[i]
      last = all[i]
    }
    if (v.shadow.activeElement == (e.shiftKey ? first : last)) {
      e.preventDefault()
      ;(e.shiftKey ? last : first)!.focus()
    }
  })
}
