import { api } from './api'
import { createApp } from './app'
import { fromData } from './settings'

const w = window as any
// Loaded twice: the first one stays.
if (!w.Haoke || !w.Haoke.version) {
  const tag = (document.currentScript || document.querySelector('script[src*="/widget.js"]')) as HTMLScriptElement | null
  const page = { ...w.HaokeSettings, ...(tag && fromData(tag.dataset)) }
  // The full page is reached by links and QR codes that name the site.
  if (page.mode == 'page') page.site = new URLSearchParams(location.search).get('site') || page.site
  const base = new URL('.', new URL(page.server || (tag && tag.src) || '', location.href)).href
  const app = createApp(page, base)
  w.Haoke = api(app, w.Haoke)
  app.start()
}
