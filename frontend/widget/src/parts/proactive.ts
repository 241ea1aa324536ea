import { button, h } from '../dom'
import { hand } from '../hand'
import { routes } from '../route'
import type { Rule } from '../settings'
import type { App } from '../types'

const CSS = `.tease{position:fixed;z-index:var(--z);bottom:calc(var(--oy) + 68px);right:var(--ox);max-width:min(280px,100vw - 40px);display:flex;border-radius:14px;background:var(--top);box-shadow:var(--shadow);animation:in .16s ease-out}.left .tease{right:auto;left:var(--ox)}.tease button:first-child{padding:12px 0 12px 16px;padding-inline:16px 0;text-align:start}.open .tease{display:none}`
const X = 'M18 6 6 18M6 6l12 12'

/** Speaks first when one of the owner's rules holds; at most once a session. */
hand(app => {
  const key = app.store.key + ':p'
  const done = () => {
    try {
      return !!sessionStorage.getItem(key)
    } catch {
      return false
    }
  }
  const rules = (app.site.proactive || []).slice(0, 10)
  let began = performance.now()
  let over = done()
  const check = () => {
    if (over || app.view.isOpen || app.convo.top() > 0) return
    for (const r of rules) {
      if (!holds(r, (performance.now() - began) / 1000)) continue
      // Never over a form that the visitor is typing in.
      const at = document.activeElement as HTMLElement | null
      if (at && (/^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) || at.isContentEditable)) return
      end()
      try {
        sessionStorage.setItem(key, '1')
      } catch {
        /* then it may be said again on the next page */
      }
      if (r.open) app.view.open()
      else tease(app, String(r.text).slice(0, 300))
      return
    }
  }
  const timer = setInterval(check, 1000)
  addEventListener('scroll', check, { passive: true })
  // Another page of a single-page shop: its rules hold from now.
  const left = routes(() => {
    began = performance.now()
    check()
  })
  const end = () => {
    over = true
    clearInterval(timer)
    removeEventListener('scroll', check)
    left()
  }
  app.on('shutdown', end)
  check()
})

function holds(r: Rule, seconds: number): boolean {
  const room = document.documentElement.scrollHeight - innerHeight
  const scrolled = room > 0 ? (scrollY / room) * 100 : 100
  const path = String(r.path || '*')
    .split('*')
    .map(s => s.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  return seconds >= (+r.after! || 0) && scrolled >= (+r.scroll! || 0) && new RegExp('^' + path + '$').test(location.pathname)
}

function tease(app: App, text: string) {
  app.view.style(CSS)
  const t = h('div', 'tease')
  app.view.root.insertBefore(t, app.view.launcher)
  t.setAttribute('role', 'status')
  button('', t, () => {
    t.remove()
    app.view.open()
  }, text)
  button('i', t, () => t.remove(), '', X).setAttribute('aria-label', app.words.close)
}
