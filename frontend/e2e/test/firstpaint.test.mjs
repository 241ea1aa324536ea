// What the admin page shows before it knows anything: the mark, and the rail of
// last time, in their final places and colours.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openPage, until } from '../lib/browser.mjs'
import { open, skip } from '../lib/house.mjs'
import { faults, office } from '../lib/office.mjs'

let browser, serve, close
before(async () => {
  if (!skip) ({ browser, serve, close } = await open())
})
after(() => close?.())

/** Holds every answer of the API until it is let go. */
async function hold(page) {
  let go
  const gone = new Promise(r => (go = r))
  await page.route('**/api/**', async route => {
    await gone
    await route.continue()
  })
  return go
}

const ground = page => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
const seen = (page, what) => page.locator(what).first().boundingBox()

for (const [colorScheme, colour] of [['light', 'rgb(250, 249, 247)'], ['dark', 'rgb(22, 21, 19)']]) {
  test(`the first paint waits for no answer: ${colorScheme}`, { skip }, async t => {
    const page = await openPage(browser, { colorScheme, viewport: { width: 1200, height: 800 } })
    t.after(() => page.context().close())
    const go = await hold(page)
    await page.goto(serve.admin + '/')
    const mark = await seen(page, '#first svg')
    assert.ok(mark.width === 40 && Math.abs(mark.x + 20 - 600) < 2, `the mark: ${JSON.stringify(mark)}`)
    assert.equal(await page.locator('#first i').first().isVisible(), false, 'no rail before there ever was one')
    assert.equal(await ground(page), colour)
    assert.ok(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint').length === 1), 'it is painted')
    go()
    await page.getByRole('heading', { level: 1 }).waitFor() // to sign in
    await until('the mark to go', async () => (await page.locator('#first').count()) === 0)
    assert.deepEqual(faults(page), [])
  })
}

test('the rail of last time is drawn at once, where it then is', { skip }, async t => {
  const page = await office(t, browser, serve, { colorScheme: 'dark' })
  const then = await seen(page, '.rail .brand svg')
  const go = await hold(page)
  await page.reload()
  const first = await seen(page, '#first svg')
  assert.deepEqual([first.x, first.y, first.width], [then.x, then.y, then.width])
  assert.ok(await page.locator('#first i').first().isVisible())
  assert.equal((await seen(page, '#first')).width, 208)
  assert.equal(await ground(page), 'rgb(22, 21, 19)')
  go()
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  await until('the first picture to go', async () => (await page.locator('#first').count()) === 0)
  assert.deepEqual(await seen(page, '.rail .brand svg'), then)
})
