import { attr, button, h } from '../dom'
import { hand } from '../hand'
import type { Identity } from '../settings'
import type { App } from '../types'

/** What pages call seldom: see `RARE` in the core. */
hand((app, name: string, a: any, b: any) => {
  const calls: Record<string, (app: App, a: any, b: any) => void> = { popout, newConversation, reset: newConversation, setAttributes, setContext: setAttributes, track, tag, untag, setUser, shutdown }
  calls[name](app, a, b)
})

function popout(app: App) {
  window.open(app.base + 'chat?site=' + encodeURIComponent(app.name), 'haoke', 'width=420,height=680')
}

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

/** Tells a server that listens what has changed; one that does not, says so and is left alone. */
function context(app: App, event?: { name: string; data?: unknown }) {
  app.link.send({
    type: 'context',
    page: { url: location.href.slice(0, 2000), title: document.title.slice(0, 300) },
    attributes: app.attributes,
    tags: app.tags,
    event,
  })
}

function setAttributes(app: App, a: Record<string, unknown>) {
  Object.assign(app.attributes, a)
  context(app)
}

function track(app: App, name: string, data?: unknown) {
  context(app, { name: String(name).slice(0, 100), data })
}

function untag(app: App, t: string) {
  app.tags = app.tags.filter(x => x !== String(t))
  context(app)
}

function tag(app: App, t: string) {
  app.tags = app.tags.filter(x => x !== String(t)).slice(0, 49)
  app.tags.push(String(t).slice(0, 60))
  context(app)
}

/** Another identity: the server learns it by a new hello. */
function setUser(app: App, u: Identity) {
  Object.assign(app.user, u)
  app.link.kick()
}

function shutdown(app: App) {
  app.shutdown()
  delete (window as any).Haoke
}
