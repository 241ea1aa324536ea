// Chromium and Firefox of the system, driven without downloading anything.
import { chromium, firefox } from 'playwright-core'

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run']

/** Starts the browser; HAOKE_CHROMIUM and HAOKE_FIREFOX name other executables, HAOKE_BROWSER=firefox takes the other one. */
export function launch(name = process.env.HAOKE_BROWSER) {
  if (name === 'firefox') return launchFirefox()
  return chromium.launch({ executablePath: process.env.HAOKE_CHROMIUM || '/usr/bin/chromium', headless: true, args: ARGS })
}

/** The Firefox that the tests use. */
export const FIREFOX = process.env.HAOKE_FIREFOX || '/usr/bin/firefox-esr'

/**
 * Stock Firefox, over WebDriver BiDi. The driver emulates media features for
 * every page without being asked to; a Firefox that lacks that one command
 * answers "unknown command", which is no reason to give up.
 */
async function launchFirefox() {
  const browser = await firefox.launch({ channel: 'moz-firefox', executablePath: FIREFOX, headless: true })
  const session = Object.getPrototypeOf(browser._connection.toImpl(browser)._browserSession)
  const send = session.send
  session.send = function (method, ...rest) {
    const answer = send.call(this, method, ...rest)
    return method === 'emulation.setMediaFeaturesOverride' ? answer.catch(e => /unknown command/.test(e.message) ? {} : Promise.reject(e)) : answer
  }
  return browser
}

/**
 * A page whose widget tests can look into: its shadow root is closed, so the
 * test opens it before any script of the page runs.
 */
export async function openPage(browser, options = {}) {
  const { closed, init, ...rest } = options
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...rest })
  if (!closed) {
    await context.addInitScript(() => {
      const attach = Element.prototype.attachShadow
      Element.prototype.attachShadow = function (o) {
        return attach.call(this, { ...o, mode: 'open' })
      }
    })
  }
  if (init) await context.addInitScript(init)
  const page = await context.newPage()
  page.errors = []
  page.on('pageerror', e => page.errors.push(String(e)))
  page.on('console', c => c.type() === 'error' && page.errors.push(c.text()))
  return page
}

/** The widget of a page, by what a visitor sees. */
export class Widget {
  constructor(page) {
    this.page = page
    this.host = page.locator('haoke-chat')
    this.launcher = this.host.locator('.l')
    this.panel = this.host.locator('.p')
    this.box = this.host.locator('textarea').first()
    this.go = this.host.locator('.go')
    this.messages = this.host.locator('[data-from]')
  }

  /** Opens the panel, unless the page does that itself because it was open before. */
  async open() {
    await this.launcher.waitFor()
    const again = await this.page.evaluate(() => {
      try {
        return sessionStorage.getItem('haoke:default:w') === '1'
      } catch {
        return false
      }
    })
    if (!again) await this.launcher.click()
    await this.panel.waitFor({ state: 'visible' })
  }

  async say(text) {
    await this.box.fill(text)
    await this.box.press('Enter')
  }

  /** Waits for the nth durable message of an author and returns its text. */
  async message(from, nth = -1) {
    const all = this.host.locator(`[data-from="${from}"] .x`)
    const one = nth < 0 ? all.last() : all.nth(nth)
    await one.waitFor()
    return one.innerText()
  }

  texts() {
    return this.page.evaluate(() => {
      const root = document.querySelector('haoke-chat').shadowRoot
      return [...root.querySelectorAll('[data-from]')].map(g => ({ from: g.dataset.from, text: g.querySelector('.x').innerText }))
    })
  }
}

/** Waits until fn is true; the last error tells what was missing. */
export async function until(what, fn, ms = 20_000) {
  const end = Date.now() + ms
  let last
  while (Date.now() < end) {
    try {
      if (await fn()) return
      last = undefined
    } catch (e) {
      last = e
    }
    await new Promise(r => setTimeout(r, 40))
  }
  throw new Error(`waited ${ms} ms for ${what}`, { cause: last })
}
