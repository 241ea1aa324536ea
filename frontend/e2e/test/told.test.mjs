// What the form before the chat and the shop's page tell of a visitor, from the
// page's own calls to the side panel that the operator reads.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, openPage, until, Widget } from '../lib/browser.mjs'
import { haveDaemon, startServe, startSim } from '../lib/daemon.mjs'

const skip = !haveDaemon() && 'build/bin/haoked is missing'
const SHOTS = join(import.meta.dirname, '../../../build/shots')
const PASSWORD = 'a long enough password'

let browser, sim, serve
before(async () => {
  if (skip) return
  mkdirSync(SHOTS, { recursive: true })
  browser = await launch()
  sim = await startSim(['--latency', '50ms', '--pace', '5ms'])
  serve = await startServe({ config: `
[admin]
password = "${PASSWORD}"
[upstream]
base_url = "${sim.url}/v1"
[[upstream.keys]]
name = "sim"
value = "sk-sim"
[secrets]
store = "file"
` })
})
after(async () => {
  await browser?.close()
  await serve?.end()
  await sim?.stop()
})

/** The admin page, signed in as its owner. */
async function office(t) {
  const page = await openPage(browser, { viewport: { width: 1440, height: 900 } })
  t.after(() => page.context().close())
  await page.goto(serve.admin + '/')
  const status = await page.evaluate(async password => {
    const post = (path, body, method = 'POST') => fetch('/api/admin/v1' + path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
    const r = await post('/session', { name: 'owner', password })
    const { csrf } = await r.clone().json().catch(() => ({}))
    await fetch('/api/admin/v1/wizard', { method: 'PUT', headers: { 'Content-Type': 'application/json', ...(csrf && { 'X-CSRF-Token': csrf }) }, body: JSON.stringify({ step: '', done: true }) })
    return r.status
  }, PASSWORD)
  assert.equal(status, 200)
  return page
}

test('the operator sees what the visitor answered and what the page told, live and as text', { skip }, async t => {
  const shop = await openPage(browser, {
    init: `window.HaokeSettings = { prechat: [{ name: 'name', required: true }, { name: 'order', label: 'Order number' }, { name: 'phone' }] }`,
  })
  t.after(() => shop.context().close())
  await shop.goto(serve.public + '/demo')
  const w = new Widget(shop)
  await w.launcher.waitFor()
  // Before the chat is opened: kept in the page, told with the first line.
  await shop.evaluate(() => {
    Haoke.setAttributes({ plan: 'gold', cart: { items: 2 }, hint: '<img src=x onerror=window.pwned=1>' })
    Haoke.tag('returning')
    Haoke.track('looked at teapots', { count: 3 })
  })
  await w.open()
  const form = w.host.locator('.prechat')
  await form.getByLabel('Name').fill('Lin <b>Wei</b>')
  await form.getByLabel('Order number').fill('4711')
  await form.getByLabel('Phone').fill('+49 30 1234')
  await form.getByRole('button', { name: 'Start the chat' }).click()
  await w.say('Where is my order?')
  await w.message('ai')

  const page = await office(t)
  await page.goto(serve.admin + '/#/conversations')
  await page.reload()
  await page.getByText('Where is my order?').first().click()
  const side = page.getByRole('region', { name: 'Details' })
  await side.getByText('Asked before the chat').waitFor()
  for (const told of ['4711', '+49 30 1234', 'gold', '{"items":2}', '<img src=x onerror=window.pwned=1>', 'returning', 'looked at teapots', '{"count":3}']) {
    await side.getByText(told).first().waitFor()
  }
  await page.getByRole('heading', { name: 'Lin <b>Wei</b>' }).waitFor()
  assert.equal(await page.evaluate(() => window.pwned), undefined)

  // While the operator looks.
  await shop.evaluate(() => {
    history.pushState({}, '', '/demo?checkout')
    Haoke.track('checkout')
    Haoke.untag('returning')
    Haoke.tag('paying')
    Haoke.setAttributes({ plan: null })
  })
  await side.getByText('checkout').first().waitFor()
  await side.getByText('paying', { exact: true }).waitFor()
  await until('what was taken back', async () => !(await side.getByText('returning', { exact: true }).count()) && !(await side.getByText('gold', { exact: true }).count()))
  await page.screenshot({ path: join(SHOTS, 'admin-told.png') })
  assert.deepEqual(page.errors.filter(e => !/401|favicon/.test(e)), [])

  // A reload of the shop's page loses nothing of it.
  await shop.reload()
  await shop.evaluate(() => Haoke.setAttributes({ coupon: 'TEA' }))
  await side.getByText('TEA', { exact: true }).waitFor()
  await side.getByText('paying', { exact: true }).waitFor()
})
