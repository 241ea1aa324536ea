// What the owner sets in the window, and what a visitor then sees.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openPage, until, Widget } from '../lib/browser.mjs'
import { open, SHOTS, skip } from '../lib/house.mjs'
import * as desk from '../lib/office.mjs'

let browser, serve, close
before(async () => {
  if (!skip) ({ browser, serve, close } = await open())
})
after(() => close?.())

const set = values => desk.script(serve, 'PUT', '/settings', { revision: 0, values })

/** A page of the office, opened by its owner. */
async function office(t, name) {
  const page = await desk.office(t, browser, serve)
  await desk.visit(page, name)
  return page
}

async function shop(t, options) {
  const page = await openPage(browser, options)
  t.after(() => page.context().close())
  await page.goto(serve.public + '/demo')
  return new Widget(page)
}

test('the look: what the owner sets is seen in the preview at once and by the next visitor', { skip }, async t => {
  const page = await office(t, 'widget')
  const preview = page.frameLocator('iframe').locator('haoke-chat')
  await preview.locator('h2').waitFor()
  await page.getByRole('tab', { name: 'Texts' }).click()
  await page.getByLabel('Title', { exact: true }).fill('Morning Hill')
  await page.getByLabel('Greeting').fill('Good **day**.')
  await page.getByLabel('Line under the title').fill('AI at once. People 9-18.')
  await page.getByLabel('Questions before the chat').fill('Name *\nOrder number')
  await page.getByLabel('Questions before the chat').blur()
  await until('the title in the preview', async () => (await preview.locator('h2').innerText().catch(() => '')) === 'Morning Hill')
  await preview.locator('strong', { hasText: 'day' }).waitFor()
  await page.getByRole('tab', { name: 'Behaviour' }).click()
  await page.getByText('Files and pictures').click()
  await page.getByRole('tab', { name: 'Look', exact: true }).click()
  await page.getByRole('button', { name: '#7A4FA3' }).click()
  await page.getByRole('radio', { name: 'Left' }).click()
  await until('the colour in the preview', async () => (await preview.locator('.av').evaluate(e => getComputedStyle(e).backgroundColor).catch(() => '')) === 'rgb(122, 79, 163)')
  // The questions of before the chat stand in the preview too.
  await preview.getByLabel('Order number').waitFor()
  await page.screenshot({ path: join(SHOTS, 'admin-look.png') })

  await until('the look at the visitors’ side', async () => (await (await fetch(serve.public + '/v1/site')).json()).side === 'left')
  const w = await shop(t)
  await w.open()
  assert.equal(await w.host.locator('h2').innerText(), 'Morning Hill')
  assert.equal(await w.host.locator('.who p').innerText(), 'AI at once. People 9-18.')
  assert.ok((await w.launcher.boundingBox()).x < 100, 'the bubble stands at the left')
  const form = w.host.locator('.prechat')
  await form.getByLabel('Name').fill('Ann')
  await form.getByLabel('Order number').fill('4711')
  await form.getByRole('button', { name: 'Start the chat' }).click()
  await w.host.getByRole('button', { name: 'Attach a file' }).waitFor()
  await w.say('Hello [[say:hello Ann]]')
  assert.match(await w.message('ai'), /hello Ann/)
  await set({ 'widget.look': {} })
})

test('texts for one language, and a sentence that comes first', { skip }, async t => {
  const page = await office(t, 'widget')
  await page.getByRole('tab', { name: 'Texts' }).click()
  await page.getByLabel('Title', { exact: true }).fill('Morning Hill')
  await page.getByLabel('Texts for').selectOption('zh-CN')
  await page.getByLabel('Title', { exact: true }).fill('晨山茶')
  await page.getByLabel('Quick questions').fill('运费多少？')
  await page.getByLabel('Quick questions').blur()
  await page.screenshot({ path: join(SHOTS, 'admin-texts.png') })
  await page.getByRole('tab', { name: 'Behaviour' }).click()
  await page.getByLabel('What the widget says').fill('May we help?')
  await page.getByLabel('What the widget says').blur()
  await page.getByLabel('On pages').fill('/demo')
  await page.getByLabel('On pages').blur()
  await page.screenshot({ path: join(SHOTS, 'admin-speak.png') })
  await until('the rule at the visitors’ side', async () => (await (await fetch(serve.public + '/v1/site')).json()).proactive?.[0]?.path === '/demo')

  const en = await shop(t)
  await en.host.getByText('May we help?').waitFor()
  await en.open()
  assert.equal(await en.host.locator('h2').innerText(), 'Morning Hill')
  const zh = await shop(t, { locale: 'zh-CN' })
  await zh.open()
  await until('the Chinese title', async () => (await zh.host.locator('h2').innerText()) === '晨山茶')
  await zh.host.getByRole('button', { name: '运费多少？' }).waitFor()
  await set({ 'widget.look': {} })
})

test('outside the hours: a form, which reaches the owner; or no bubble; or the AI alone', { skip }, async t => {
  const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(new Date().getDay() + 3) % 7]
  await set({ 'site.hours': [{ days: [day], open: '09:00', close: '09:01' }], 'site.outside_hours': 'form' })
  const w = await shop(t)
  await w.open()
  const f = w.host.locator('.card.offline')
  await f.waitFor()
  await f.getByLabel('E-mail').fill('ann@example.com')
  await f.getByLabel('Message').fill('Please call me on Monday <b>about</b> the pot')
  await f.getByRole('button', { name: 'Send' }).click()
  await f.getByText('We will write to ann@example.com').waitFor()
  const page = await office(t, 'conversations/left')
  await page.getByText('Please call me on Monday <b>about</b> the pot').waitFor()
  await page.getByRole('link', { name: 'ann@example.com' }).waitFor()
  await page.screenshot({ path: join(SHOTS, 'admin-left.png') })

  await set({ 'site.outside_hours': 'hidden' })
  const hidden = await shop(t)
  await hidden.host.waitFor({ state: 'attached' })
  await until('ready', () => hidden.page.evaluate(() => new Promise(r => Haoke.push(h => h.on('ready', () => r(true))))))
  assert.equal(await hidden.launcher.isVisible(), false)

  await set({ 'site.outside_hours': 'ai' })
  // Who was turned away before the change finds the AI again.
  await w.page.reload()
  await until('the line', () => w.page.evaluate(() => Haoke.getStatus?.().connection === 'open'))
  assert.equal(await w.page.evaluate(() => Haoke.getStatus().mode), 'ai')
  await w.say('And now? [[say:now it is open]]')
  assert.match(await w.message('ai'), /now it is open/)
})

test('pictures go both ways: the operator sees the visitor’s, the visitor the operator’s', { skip }, async t => {
  await set({ 'upload.enabled': true })
  const png = { name: 'broken [cup].png', mimeType: 'image/png', buffer: Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64') }
  const w = await shop(t)
  await w.open()
  await w.say('My cup came broken')
  await w.message('ai')
  const [mine] = await Promise.all([w.page.waitForEvent('filechooser'), w.host.getByRole('button', { name: 'Attach a file' }).click()])
  await mine.setFiles(png)
  await w.host.locator('[data-from=visitor] img').waitFor()

  const page = await office(t, 'conversations')
  await page.getByText('broken').first().click()
  const log = page.getByRole('log')
  const seen = log.locator('img').first()
  await until('the visitor’s picture', () => seen.evaluate(i => i.complete && i.naturalWidth === 1))
  const [theirs] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Attach a file' }).click()])
  await theirs.setFiles({ ...png, name: 'how to glue it.png' })
  const got = w.host.locator('[data-from=operator] img')
  await until('the operator’s picture', () => got.evaluate(i => i.complete && i.naturalWidth === 1))
  assert.equal(await got.getAttribute('alt'), 'how to glue it.png')
  await until('both in the transcript', async () => (await log.locator('img').count()) === 2)
  const [bad] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Attach a file' }).click()])
  await bad.setFiles({ name: 'x.png', mimeType: 'image/png', buffer: Buffer.from('<html><script>') })
  await page.getByText('Files of this kind are not sent').waitFor()
  await page.screenshot({ path: join(SHOTS, 'admin-files.png') })
})
