// The owner moves the admin page to another port, at that very page: it goes
// along, and so does one that is open elsewhere.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { launch, openPage, until } from '../lib/browser.mjs'
import { startServe } from '../lib/daemon.mjs'
import { skip } from '../lib/house.mjs'
import { faults, PASSWORD, signIn } from '../lib/office.mjs'

const STANDARD = 8788
let browser
before(async () => {
  if (!skip) browser = await launch()
})
after(() => browser?.close())

/** A port that is free now; 0 asks for any. */
const free = port => new Promise(r => {
  const s = createServer().once('error', () => r(0)).listen(port, '127.0.0.1', () => {
    const got = s.address().port
    s.close(() => r(got))
  })
})

test('the admin page moves, and every open page with it', { skip, timeout: 120_000 }, async t => {
  // Only an address that no flag names can be changed in the page.
  if ((await free(STANDARD)) !== STANDARD) return t.skip(`port ${STANDARD} is taken on this machine`)
  const serve = await startServe({ config: `[secrets]\nstore = "file"\n[admin]\npassword = "${PASSWORD}"\n`, adminAddr: null })
  t.after(() => serve.end())
  const open = async name => {
    const page = await openPage(browser, { viewport: { width: 1280, height: 860 } })
    t.after(() => page.context().close())
    await page.goto(serve.admin + '/')
    await signIn(page)
    await page.evaluate(() => fetch('/api/admin/v1/session').then(r => r.json()).then(s => fetch('/api/admin/v1/wizard', { method: 'PUT', headers: { 'Content-Type': 'application/json', ...(s.csrf && { 'X-CSRF-Token': s.csrf }) }, body: JSON.stringify({ step: '', done: true }) })))
    await page.goto(`${serve.admin}/#/${name}`)
    await page.reload()
    await page.getByRole('heading', { level: 1 }).waitFor()
    return page
  }
  const other = await open('conversations')
  const page = await open('settings/server.admin_addr')
  const field = page.locator('[id="s-server.admin_addr"]')
  const move = async to => {
    await field.getByRole('textbox').fill(to)
    await field.getByRole('textbox').press('Enter')
    await page.getByRole('dialog').getByRole('button', { name: 'Change it' }).click()
  }
  const taken = createServer()
  await new Promise(r => taken.listen(0, '127.0.0.1', r))
  t.after(() => taken.close())
  await move(`127.0.0.1:${taken.address().port}`)
  await field.getByText('is taken by').waitFor()
  assert.ok(page.url().startsWith(serve.admin), page.url())

  const to = `127.0.0.1:${await free(0)}`
  await move(to)
  await page.waitForURL(url => url.host === to)
  await page.getByRole('heading', { level: 1 }).waitFor()
  assert.equal(await field.getByRole('textbox').inputValue(), to)
  await until('the other page at the new address', () => new URL(other.url()).host === to && other.url().includes('#/conversations'))
  await other.getByRole('heading', { level: 1 }).waitFor()
  await assert.rejects(fetch(serve.admin), 'the old address is free')
  // A call that was on its way to the old address may find nobody there.
  for (const p of [page, other]) assert.deepEqual(faults(p, /favicon|422|ERR_CONNECTION|WebSocket/), [])
})
