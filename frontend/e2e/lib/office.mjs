// The admin page of a running appliance, as its owner sees it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { openPage } from './browser.mjs'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
export const PASSWORD = 'a long enough password'

/** A part of config.toml: the owner's password, the simulator as the provider. */
export const config = (sim, more = '') => `
[admin]
password = "${PASSWORD}"
token = "script-token-for-the-tests"
[upstream]
base_url = "${sim.url}/v1"
[[upstream.keys]]
name = "sim"
value = "sk-sim"
[secrets]
store = "file"
${more}`

/** Calls the admin API as a script of the owner does. */
export async function script(serve, method, path, body) {
  const res = await fetch(serve.admin + '/api/admin/v1' + path, {
    method,
    headers: { Authorization: 'Bearer script-token-for-the-tests', ...(body ? { 'Content-Type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  if (!res.ok) throw new Error(`${method} ${path}: ${res.status} ${await res.text()}`)
  return res.status === 204 ? undefined : res.json()
}

/** Opens the admin page with the owner signed in and the first run behind. */
export async function office(t, browser, serve, options = {}) {
  const page = await openPage(browser, { viewport: { width: 1440, height: 900 }, ...options })
  t.after(() => page.context().close())
  await page.goto(serve.admin + '/')
  await signIn(page)
  await script(serve, 'PUT', '/wizard', { step: '', done: true })
  await page.reload()
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  return page
}

export async function signIn(page) {
  const status = await page.evaluate(
    async password => (await fetch('/api/admin/v1/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'owner', password }) })).status,
    PASSWORD,
  )
  if (status !== 200) throw new Error('sign in: ' + status)
}

/** Goes to a page of the office and waits for its heading. */
export async function visit(page, name) {
  await page.evaluate(hash => (location.hash = hash), '#/' + name)
  await page.waitForFunction(hash => location.hash.startsWith(hash), '#/' + name.split('/')[0])
  await page.getByRole('heading', { level: 1 }).first().waitFor()
}

/** What axe finds on the whole page, in words. */
export async function axe(page) {
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    const found = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'] })
    return found.violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`)
  })
}

/** Errors of a page beside those that a test brought about itself. */
export const faults = (page, besides = /favicon/) => page.errors.filter(e => !besides.test(e))
