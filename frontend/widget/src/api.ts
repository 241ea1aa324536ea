import type { App } from './types'

declare const __V__: string

/** Calls that few pages make; their part is loaded with the first one. */
const RARE = 'popout newConversation reset setAttributes setContext track tag untag setUser prefill setTheme shutdown'.split(' ')

/** The page's handle, `window.Haoke`, and what was queued before it existed. */
export function api(app: App, queue: unknown) {
  const { view } = app
  const o: Record<string, any> = {
    version: __V__,
    open: view.open,
    close: view.close,
    toggle: () => (view.isOpen ? view.close() : view.open()),
    show: () => app.configure({ hidden: false }),
    hide() {
      view.close()
      app.configure({ hidden: true })
    },
    send(text: string) {
      view.open()
      return app.say(String(text))
    },
    setLocale: (locale: string) => app.configure({ locale }),
    configure: app.configure,
    getStatus: app.status,
    getUnread: () => app.unread,
    isOpen: () => view.isOpen,
    on: app.on,
    push(c: any) {
      if (typeof c == 'function') c(o)
      else if (c && typeof o[c[0]] == 'function') o[c[0]](c[1], c[2])
    },
  }
  for (let i = 0; i < RARE.length; i++) o[RARE[i]] = (a: unknown, b: unknown) => app.part('api', RARE[i], a, b)
  // What the page asked for before there was a chat, once its look is known.
  app.on('ready', () => {
    for (let i = 0; Array.isArray(queue) && i < queue.length; i++) o.push(queue[i])
  })
  return o
}
