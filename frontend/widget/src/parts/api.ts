import { attr, button, h } from '../dom'
import { tell } from '../context'
import { hand } from '../hand'
import { enc } from '../safe'
import type { Identity } from '../settings'
import type { App } from '../types'

/** What pages call seldom: see `RARE` in the core. */
hand((app, name: string, a: any, b: any) => {
  app.facts = app.facts || { attributes: {}, tags: [] }
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

function setAttributes(app: App, a: Record<string, unknown>) {
  const next = { ...app.facts!.attributes, ...a }
  // More than a frame has room for is not taken.
  if (enc(next).length < 4000) app.facts!.attributes = next
  tell(app)
}

function track(app: App, name: string, data?: unknown) {
  tell(app, { name: String(name).slice(0, 100), data })
}

function untag(app: App, t: string) {
  app.facts!.tags = app.facts!.tags.filter(x => x !== String(t))
  tell(app)
}

function tag(app: App, t: string) {
  app.facts!.tags = [...app.facts!.tags.filter(x => x !== String(t)).slice(0, 49), String(t).slice(0, 60)]
  tell(app)
}

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
