// What the form before the chat and the shop's page tell of a visitor, from the
// page's own calls to the side panel that the operator reads.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openPage, until, Widget } from '../lib/browser.mjs'
import { open, SHOTS, skip } from '../lib/house.mjs'
import { office, visit } from '../lib/office.mjs'

let browser, serve, close
before(async () => {
  if (!skip) ({ browser, serve, close } = await open())
})
after(() => close?.())

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

  const page = await office(t, browser, serve)
  await visit(page, 'conversations')
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
