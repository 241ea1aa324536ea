import type { App } from './types'

/**
 * Tells the server what has changed while the line is open: the page, what the
 * page said of the visit, an event. False when there is no line; the next hello
 * carries page and facts anyway.
 */
export function tell(app: App, event?: { name: string; data?: unknown }): boolean {
  return app.link.send({
    type: 'context',
    page: { url: location.href.slice(0, 2000), title: document.title.slice(0, 300) },
    ...app.facts,
    event,
  })
}
