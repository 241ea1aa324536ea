import { attr, button, h } from '../dom'
import { tell } from '../context'
import { hand } from '../hand'
import { enc } from '../safe'
import type { Identity } from '../settings'
import type { App } from '../types'

/** What pages call seldom: see `RARE` in the core. */
hand((app, name: string, a: any, b: any) => {
  app.facts = app.facts || { attributes: {}, tags: [], untags: [] }
  const calls: Record<string, (app: App, a: any, b: any) => void> = { popout, newConversation, reset: newConversation, setAttributes, setContext: setAttributes, track, tag, untag, setUser, prefill, setTheme, shutdown }
  calls[name](app, a, b)
})

function popout(app: App) {
  window.open(app.base + 'chat?site=' + encodeURIComponent(app.name), 'haoke', 'width=420,height=680')
}

/** Opens the panel with a text in the box. */
function prefill(app: App, text: string) {
  app.view.open()
  app.view.fill(String(text))
}

const setTheme = (app: App, theme: string) => app.configure({ theme })

/** Leaves the conversation; the visitor can take that back. */
function newConversation(app: App) {
  const was = { ...app.store.saved }
  app.forget()
  if (app.view.isOpen) app.connect()
  app.link.kick()
  app.view.refresh()
  if (was.t && was.q && app.view.list) {
    note(app, app.t('started', 'This is a new conversation.'), app.t('undo', 'Back to the old one'), () => {
      app.forget()
      app.store.save(was)
      app.link.kick()
    })
  }
}

/** A line of our own among the messages; not part of the conversation. */
function note(app: App, text: string, action: string, fn: () => void) {
  const g = h('div', 'g s', app.view.list!.all)
  attr(g, 'role', 'status')
  h('span', '', g, text + ' ')
  button('', g, () => {
    g.remove()
    fn()
  }, action)
}

/** Merges `a`; null or undefined removes an attribute, here and on the server. */
function setAttributes(app: App, a: Record<string, unknown>) {
  const next = { ...app.facts!.attributes }
  for (const k in a) next[k] = a[k] ?? null
  // More than a frame has room for is not taken.
  if (enc(next).length < 4000) app.facts!.attributes = next
  told(app)
}

function track(app: App, name: string, data?: unknown) {
  // A large event is told by its name alone: a frame has 16 KB.
  told(app, { name: String(name).slice(0, 60), data: data !== undefined && enc(data).length < 1500 ? data : undefined })
}

/** What has not been told yet: whether anything changed, and the latest 20 events. */
interface Untold {
  changed?: boolean
  events: { name: string; data?: unknown }[]
}
const untold = new WeakMap<App, Untold>()

/** Tells now or, where there is no line yet, as soon as there is one. */
function told(app: App, event?: Untold['events'][0]) {
  let u = untold.get(app)
  if (!u) {
    untold.set(app, (u = { events: [] }))
    app.on('status', () => flush(app))
  }
  u.changed = true
  if (event) u.events.push(event)
  if (u.events.length > 20) u.events.shift()
  flush(app)
}

function flush(app: App) {
  const u = untold.get(app)!
  while ((u.changed || u.events.length) && tell(app, u.events[0])) {
    u.events.shift()
    u.changed = false
  }
}

/** Moves a tag from one list to the other: what was removed stays removed on the server too. */
function move(app: App, t: string, to: 'tags' | 'untags') {
  const f = app.facts!
  const name = String(t).slice(0, 60)
  const rest = (list: string[]) => list.filter(x => x !== name).slice(-49)
  f.tags = rest(f.tags)
  f.untags = rest(f.untags)
  f[to].push(name)
  told(app)
}
const tag = (app: App, t: string) => move(app, t, 'tags')
const untag = (app: App, t: string) => move(app, t, 'untags')

/** Another identity: the server learns it by a new hello. */
function setUser(app: App, u: Identity) {
  Object.assign(app.user, u)
  app.link.kick()
}

function shutdown(app: App) {
  app.emit('shutdown')
  app.shutdown()
  delete (window as any).Haoke
}
