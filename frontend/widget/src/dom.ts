/** Makes an element with a class and a text, and appends it. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, cls?: string, parent?: Node, text?: string): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag)
  if (cls) e.className = cls
  if (text !== undefined) e.textContent = text
  if (parent) parent.appendChild(e)
  return e
}

// Stroke icons on a 24 px grid, after Lucide (ISC licence).
const ICONS = {
  chat: 'M21 12a8 8 0 0 1-8 8H4l2-3.2A8 8 0 1 1 21 12ZM9 12h.01M13 12h.01M17 12h.01',
  close: 'M18 6 6 18M6 6l12 12',
  down: 'm6 9 6 6 6-6',
  send: 'M12 19V5m-6 6 6-6 6 6',
  stop: 'M7 7h10v10H7Z',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  copy: 'M9 9h11v11H9ZM5 15H4V4h11v1',
  up: 'M7 10v11M15 6l-1 4h6a2 2 0 0 1 2 2l-2 7a2 2 0 0 1-2 2H4a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1h3l4-7a3 3 0 0 1 4 3Z',
  dn: 'M17 14V3M9 18l1-4H4a2 2 0 0 1-2-2l2-7a2 2 0 0 1 2-2h14a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-3l-4 7a3 3 0 0 1-4-3Z',
  person: 'M19 21a7 7 0 0 0-14 0M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8',
  fresh: 'M12 5v14M5 12h14',
  save: 'M12 4v11m-5-5 5 5 5-5M5 20h14',
  star: 'm12 3 2.8 5.7 6.2.9-4.5 4.4 1.1 6.2L12 17.3 6.4 20.2l1.1-6.2L3 9.6l6.2-.9Z',
  sound: 'M11 5 6 9H3v6h3l5 4ZM15.5 8.5a5 5 0 0 1 0 7M18.5 5.5a9 9 0 0 1 0 13',
  clip: 'm20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.5 3.5 0 0 1 5 5l-8.5 8.5a2 2 0 0 1-3-3L14 7',
  face: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M8.5 14a4.5 4.5 0 0 0 7 0M9 9.5h.01M15 9.5h.01',
}
export type Icon = keyof typeof ICONS

export function icon(name: Icon): SVGElement {
  const ns = 'http://www.w3.org/2000/svg'
  const s = document.createElementNS(ns, 'svg')
  s.setAttribute('viewBox', '0 0 24 24')
  s.setAttribute('aria-hidden', 'true')
  const p = document.createElementNS(ns, 'path')
  p.setAttribute('d', ICONS[name])
  s.appendChild(p)
  return s
}

/** A button with an icon and a name for those who do not see it. */
export function iconButton(name: Icon, label: string, cls: string, parent: Node, fn: (e: MouseEvent) => void): HTMLButtonElement {
  const b = h('button', cls, parent)
  b.type = 'button'
  b.appendChild(icon(name))
  named(b, label)
  b.addEventListener('click', fn)
  return b
}

export function named(b: HTMLElement, label: string) {
  b.setAttribute('aria-label', label)
  b.title = label
}

export function textButton(label: string, cls: string, parent: Node, fn: () => void): HTMLButtonElement {
  const b = h('button', cls, parent, label)
  b.type = 'button'
  b.addEventListener('click', fn)
  return b
}
