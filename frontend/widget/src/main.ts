import { App } from './app'
import { api } from './api'
import { read, type PageSettings } from './settings'

declare global {
  interface Window {
    Haoke?: any
    HaokeSettings?: unknown
  }
}

/** The script's own element; where the page moved it, the one that fits. */
function self(): HTMLScriptElement | null {
  return (document.currentScript as HTMLScriptElement) || document.querySelector('script[src*="/widget.js"]')
}

;(() => {
  const queue = window.Haoke
  // Loaded twice: the first one stays.
  if (queue && queue.version) return
  const tag = self()
  const page: PageSettings = { ...read(window.HaokeSettings), ...read(tag ? { ...tag.dataset } : {}) }
  const src = page.server || (tag ? tag.src : location.href)
  const base = new URL('.', new URL(src, location.href)).href.replace(/[?#].*$/, '')
  const boot = () => {
    const app = new App(page, base)
    window.Haoke = api(app, queue)
    app.start()
  }
  if (document.documentElement) boot()
})()
