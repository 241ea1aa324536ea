import css from './forms.css?inline'
import { attr, button, h, named } from '../dom'
import { hand } from '../hand'
import { link } from '../md'
import { enc, load } from '../safe'
import type { Field } from '../settings'
import type { App } from '../types'

const styled = new WeakSet<App>()

/** Consent, pre-chat questions, offline form, rating, transcript. */
hand((app, what: string, ...args) => {
  if (!styled.has(app)) {
    styled.add(app)
    app.view.style(css)
  }
  const forms: Record<string, (...a: any[]) => void> = { begin, offline, rate, why, save }
  forms[what](app, ...args)
})

const STAR = 'm12 3 2.8 5.7 6.2.9-4.5 4.4 1.1 6.2L12 17.3 6.4 20.2l1.1-6.2L3 9.6l6.2-.9Z'
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/

/** Puts a card after the messages; null when one of its kind is there. */
function card(app: App, kind: string): HTMLFormElement | null {
  const box = app.view.scroll
  if (box.querySelector('.card.' + kind)) return null
  const f = h('form', 'card ' + kind)
  f.noValidate = true
  box.insertBefore(f, kind == 'prechat' ? box.querySelector('.q') : null)
  return f
}

/** A labelled input with room for what is wrong with it. */
function input(app: App, f: HTMLElement, d: Field, long?: boolean) {
  const known: Record<string, string> = { name: app.t('name', 'Name'), email: app.t('email', 'E-mail'), phone: app.t('phone', 'Phone'), message: app.t('message', 'Message') }
  const l = h('label', '', f, String(d.label || known[d.name] || d.name) + (d.required ? '' : ' (' + app.t('optional', 'optional') + ')'))
  const i = h(long ? 'textarea' : 'input', '', l) as HTMLInputElement
  if (!long) i.type = d.type || (d.name == 'email' ? 'email' : d.name == 'phone' ? 'tel' : 'text')
  i.maxLength = long ? 4000 : 200
  if (/^(name|email)$/.test(d.name)) i.autocomplete = d.name as AutoFill
  if (d.name == 'phone') i.autocomplete = 'tel'
  const e = h('span', 'err', l)
  attr(e, 'role', 'alert')
  return {
    value: () => i.value.trim(),
    ok() {
      const v = i.value.trim()
      e.textContent = d.required && !v ? app.t('needed', 'Please fill this in.') : v && i.type == 'email' && !EMAIL.test(v) ? app.t('badMail', 'This is not an e-mail address.') : ''
      attr(i, 'aria-invalid', !!e.textContent)
      if (e.textContent) i.focus()
      return !e.textContent
    },
    focus: () => i.focus(),
  }
}

function submitter(f: HTMLFormElement, label: string, fn: () => void) {
  const b = button('pri', f, () => {}, label)
  b.type = 'submit'
  f.onsubmit = e => {
    e.preventDefault()
    fn()
  }
  return b
}

/** What stands before the conversation: consent, then questions. */
function begin(app: App) {
  const { site, store, view } = app
  const s = store.saved
  const c = site.consent && !s.k
  const gate = c && site.consent!.required ? 'consent' : site.prechat && site.prechat.length && !s.p && !s.q ? 'prechat' : ''
  if (c) consent(app)
  if (gate == 'prechat') prechat(app)
  if (gate) {
    const first = gate == 'consent' ? view.form.querySelector<HTMLElement>('.con .pri') : view.scroll.querySelector<HTMLElement>('.prechat input')
    if (view.isOpen && first) first.focus({ preventScroll: true })
    return
  }
  view.row.hidden = false
  view.refresh()
  app.connect()
  if (!view.root.matches(':focus-within')) view.focus()
}

function consent(app: App) {
  const c = app.site.consent
  const v = app.view
  if (!c || v.form.querySelector('.con')) return
  const p = h('p', 'con', null, String(app.site.consentText || c.text) + ' ')
  v.form.insertBefore(p, v.row)
  const url = String(c.url || '')
  if (/^(https?:\/\/|\/(?!\/))/i.test(url)) link(url, p, app.t('privacy', 'Privacy'))
  const agree = () => {
    app.store.unlock()
    app.store.save({ k: true })
    p.remove()
  }
  if (c.required) {
    button('pri', p, () => {
      agree()
      app.begin()
      v.focus()
    }, app.t('agree', 'Agree and start'))
  } else {
    const off = app.on('message:sent', () => {
      agree()
      off()
    })
  }
}

function prechat(app: App) {
  const f = card(app, 'prechat')
  if (!f) return
  const fields: [string, ReturnType<typeof input>][] = []
  const ask = app.site.prechat!
  for (let i = 0; i < ask.length && i < 8; i++) fields[i] = [String(ask[i].name), input(app, f, ask[i])]
  submitter(f, app.t('start', 'Start the chat'), () => {
    const p: Record<string, string> = {}
    // From the last to the first, so that the first wrong one has the focus.
    let ok = true
    for (let i = fields.length - 1; i >= 0; i--) {
      ok = fields[i][1].ok() && ok
      p[fields[i][0]] = fields[i][1].value()
    }
    if (!ok) return
    app.store.unlock()
    app.store.save({ p })
    f.remove()
    app.emit('prechat:submitted', p)
    app.begin()
    app.view.focus()
  })
}

function offline(app: App) {
  const f = card(app, 'offline')
  if (!f) return
  const s = app.site
  h('p', '', f, String(s.away || app.t('away', 'Leave your e-mail and we will answer as soon as we are back.')))
  const name = input(app, f, { name: 'name' })
  const email = input(app, f, { name: 'email', required: true })
  const message = input(app, f, { name: 'message', required: true }, true)
  const state = h('p', 'err')
  attr(state, 'role', 'alert')
  const b = submitter(f, app.words.send, () => {
    const ok = message.ok()
    if (!email.ok() || !ok) return
    b.disabled = true
    const body = { site: app.name, name: name.value(), email: email.value(), message: message.value(), page: location.href.slice(0, 2000) }
    load(app.base + 'v1/offline', { method: 'POST', credentials: 'omit', headers: { 'content-type': 'application/json' }, body: enc(body) }).then(
      r => {
        if (!r.ok) throw r.status
        app.emit('offline:submitted', body)
        f.textContent = ''
        const done = h('p', '', f, app.t('kept', 'Thank you. We will write to {email}.').replace('{email}', body.email))
        attr(done, 'role', 'status')
      },
    ).catch(() => {
      b.disabled = false
      state.textContent = app.t('unkept', 'That could not be sent. Please try again in a moment.')
    })
  })
  f.insertBefore(state, b)
  const off = app.on('mode', () => {
    if (app.mode == 'offline') return
    if (b.isConnected) f.remove() // somebody is there again; a thank-you stays
    off()
  })
  app.view.list!.toEnd()
}

function rate(app: App) {
  const f = card(app, 'rate')
  if (!f) return
  const title = h('p', '', f, app.t('how', 'How was this conversation?'))
  title.id = 'how'
  const row = h('div', 'stars', f)
  attr(row, 'role', 'radiogroup')
  attr(row, 'aria-labelledby', 'how')
  const stars: HTMLButtonElement[] = []
  let score = 0
  const set = (n: number, focus?: boolean) => {
    score = n
    for (let i = 0; i < 5; i++) {
      attr(stars[i], 'aria-checked', i == n - 1)
      stars[i].classList.toggle('on', i < n)
      stars[i].tabIndex = i == Math.max(n - 1, 0) ? 0 : -1
    }
    if (focus) stars[n - 1].focus()
  }
  for (let i = 0; i < 5; i++) {
    stars[i] = button('i', row, () => set(i + 1), '', STAR)
    attr(stars[i], 'role', 'radio')
    named(stars[i], i + 1 + ' / 5')
    stars[i].onkeydown = e => {
      const rtl = app.view.root.dir == 'rtl' ? -1 : 1
      const d = e.key == 'ArrowRight' ? rtl : e.key == 'ArrowLeft' ? -rtl : e.key == 'ArrowUp' ? 1 : e.key == 'ArrowDown' ? -1 : 0
      if (d) {
        e.preventDefault()
        set(Math.min(5, Math.max(1, score + d)), true)
      }
    }
  }
  set(0)
  const text = input(app, f, { name: 'comment', label: app.t('comment', 'What could be better?') }, true)
  submitter(f, app.words.send, () => {
    if (!score) return stars[0].focus()
    send(app, app.convo.top(), score, text.value(), f)
  })
  button('sec', f, () => {
    f.remove()
    app.view.focus()
  }, app.t('cancel', 'Cancel'))
  app.view.list!.toEnd()
  stars[0].focus()
}

function send(app: App, seq: number, score: number, comment: string, f: HTMLElement) {
  const r = { seq, score, comment: comment.slice(0, 1000) || undefined }
  app.link.send({ type: 'rate', ...r })
  app.emit('rating', r)
  f.textContent = ''
  attr(h('p', '', f, app.t('thanks', 'Thank you')), 'role', 'status')
  app.view.focus()
}

/** A box for words below an answer that did not help. */
function why(app: App, seq: number, g: HTMLElement) {
  if (g.querySelector('.card')) return
  const f = h('form', 'card', g)
  f.noValidate = true
  const text = input(app, f, { name: 'comment', label: app.t('missing', 'What was missing?') }, true)
  submitter(f, app.words.send, () => (text.value() ? send(app, seq, 1, text.value(), f) : f.remove()))
  text.focus()
}

/** Saves the conversation as a text file. */
function save(app: App) {
  const w = app.words
  let s = (app.site.title || w.chat) + '\n' + location.host + '\n\n'
  for (let i = 1; i <= app.convo.top(); i++) {
    const m = app.convo.msgs.get(i)
    if (!m) continue
    const who = m.from == 'visitor' ? w.you : m.from == 'ai' ? w.ai : m.from == 'operator' ? m.name || w.team : ''
    s += (m.at ? '[' + new Date(m.at).toLocaleString(app.locale) + '] ' : '') + (who && who + ': ') + m.text + '\n\n'
  }
  // The mark at the start tells old Windows programs that this is UTF-8.
  const url = URL.createObjectURL(new Blob(['\ufeff' + s], { type: 'text/plain;charset=utf-8' }))
  const a = h('a')
  a.href = url
  a.download = 'chat.txt'
  a.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
