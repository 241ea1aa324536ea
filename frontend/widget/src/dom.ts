/** Makes an element with a class and a text, and appends it. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, cls?: string, parent?: Node | null, text?: string): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag)
  if (cls) e.className = cls
  if (text != null) e.textContent = text
  if (parent) parent.appendChild(e)
  return e
}

/** Sets an attribute. */
export const attr = (e: Element, name: string, value: unknown) => e.setAttribute(name, value as string)

/** Stroke icons on a 24 px grid, after Lucide (ISC licence). */
export const ICONS = {
  chat: 'M21 12a8 8 0 0 1-8 8H4l2-3.2A8 8 0 1 1 21 12ZM9 12h.01M13 12h.01M17 12h.01',
  close: 'M18 6 6 18M6 6l12 12',
  down: 'm6 9 6 6 6-6',
  send: 'M12 19V5m-6 6 6-6 6 6',
  stop: 'M7 7h10v10H7Z',
}

/** An icon from the path `d`. */
export function icon(d: string): SVGElement {
  const ns = 'http://www.w3.org/2000/svg'
  const s = document.createElementNS(ns, 'svg')
  attr(s, 'viewBox', '0 0 24 24')
  attr(s, 'aria-hidden', 'true')
  attr(s.appendChild(document.createElementNS(ns, 'path')), 'd', d)
  return s
}

/** A button; with `d` an icon stands before the text. */
export function button(cls: string, parent: Node | null, fn: (e: MouseEvent) => void, text?: string, d?: string): HTMLButtonElement {
  const b = h('button', cls, parent, text)
  b.type = 'button'
  if (d) b.insertBefore(icon(d), b.firstChild)
  b.addEventListener('click', fn)
  return b
}

/** Gives an element its name for those who do not see it. */
export function named(b: HTMLElement, label: string) {
  attr(b, 'aria-label', label)
  b.title = label
}
