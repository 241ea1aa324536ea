// The admin page against the running appliance: every page, the charts, what
// goes wrong while somebody works.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, openPage, until, Widget } from '../lib/browser.mjs'
import { haveDaemon, startServe, startSim } from '../lib/daemon.mjs'
import { axe, config, faults, office, PASSWORD, script, visit } from '../lib/office.mjs'

const skip = !haveDaemon() && 'build/bin/haoked is missing'
const SHOTS = join(import.meta.dirname, '../../../build/shots')
const PAGES = ['overview', 'conversations', 'faq', 'filters', 'keys', 'widget', 'archive', 'settings', 'logs', 'backup', 'people', 'about']
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP8z4APMOGVHbHSAEEsAROxCnMTAAAAAElFTkSuQmCC', 'base64')

let browser, sim, serve
before(async () => {
  if (skip) return
  mkdirSync(SHOTS, { recursive: true })
  browser = await launch()
  sim = await startSim(['--latency', '60ms', '--pace', '10ms'])
  serve = await startServe({ config: config(sim, '[upload]\nenabled = true\n') })
})
after(async () => {
  await browser?.close()
  await serve?.end()
  await sim?.stop()
})

/** A visitor who asks and is answered. */
async function visitor(t, text, options) {
  const page = await openPage(browser, options)
  t.after(() => page.context().close())
  await page.goto(serve.public + '/demo')
  const w = new Widget(page)
  await w.open()
  if (text) {
    await w.say(text)
    await until('the whole answer', async () => (await w.texts()).some(m => m.from === 'ai' && m.text.length > 3) && !(await w.host.locator('.tail').count()))
  }
  return w
}

test('every page, on a desk and on a phone, in both languages, light and dark: whole, quiet, and nothing for axe', { skip }, async t => {
  await visitor(t, 'Do you have green tea? [[say:Yes, from three gardens on the south slope, picked by hand in April and May and steamed on the same day.]]')
  for (const [size, locale, colorScheme] of [[[1440, 900], 'en-GB', 'light'], [[390, 844], 'zh-CN', 'dark']]) {
    const page = await office(t, browser, serve, { viewport: { width: size[0], height: size[1] }, locale, colorScheme, reducedMotion: 'reduce' })
    page.on('response', r => r.status() >= 400 && page.errors.push(`${r.status()} ${r.url()}`))
    page.errors.length = 0
    for (const name of PAGES) {
      await visit(page, name)
      await page.waitForLoadState('networkidle').catch(() => {})
      await until(`${name} has loaded`, async () => (await page.locator('.skeleton').count()) === 0)
      const wide = await page.evaluate(() => [document.documentElement, document.querySelector('main')].some(e => e.scrollWidth > e.clientWidth + 1))
      assert.equal(wide, false, `${name} is wider than the window of ${size}`)
      assert.deepEqual(await axe(page), [], `${name} ${size} ${colorScheme}`)
      await page.screenshot({ path: join(SHOTS, `office-${name}-${size[0]}-${colorScheme}.png`) })
    }
    assert.deepEqual(faults(page), [])
  }
})

test('charts: a drag zooms, one crosshair for all, picture and table, and the figures survive a restart', { skip }, async t => {
  await visitor(t, 'First question [[say:first answer]]')
  const page = await office(t, browser, serve)
  const plots = page.locator('.plot .u-over')
  await until('the charts', async () => (await plots.count()) >= 18)
  await page.getByRole('radio', { name: '15m' }).click()
  const chart = name => page.getByRole('figure', { name, exact: true })
  await until('visitors in the chart', async () => /[1-9]/.test(await chart('Visitors connected').locator('li b').innerText()))

  // The pointer over one chart moves the crosshair of another to the same place.
  const over = async (name, part) => {
    const box = await chart(name).locator('.u-over').boundingBox() // anew: the page above may have grown meanwhile
    await page.mouse.move(box.x + box.width * part, box.y + 55, { steps: 3 })
  }
  const at = figure => figure.locator('.u-cursor-x').evaluate(e => e.style.transform)
  await until('the same place in both', async () => {
    await over('First words', 0.6 + 0.2 * Math.random())
    const there = await at(chart('First words'))
    return there && there === (await at(chart('Memory'))) && !/-10px/.test(there)
  })
  await page.locator('time.muted').waitFor()

  // A picture that opens, a table that names its columns.
  const save = async (title, what) => {
    const download = page.waitForEvent('download')
    await page.getByLabel(`${title}: Actions`, { exact: true }).click()
    await page.getByRole('menuitem', { name: what }).click()
    const file = await download
    return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) }
  }
  const picture = await save('Memory', 'Save as picture')
  assert.equal(picture.name, 'memory.png')
  assert.equal(picture.bytes.subarray(1, 4).toString(), 'PNG')
  assert.ok(picture.bytes.length > 2000, `${picture.bytes.length} bytes`)
  const table = (await save('Memory', 'Save as table')).bytes.toString().trim().split('\r\n')
  assert.equal(table[0], 'time,memory')
  assert.match(table.at(-1), /^\d{4}-\d\d-\d\dT[\d:.]+Z,\d+/)

  // A drag zooms all charts; one button brings the range back.
  await until('the zoom', async () => {
    if (await page.getByRole('button', { name: 'Reset zoom' }).isVisible()) return true
    await over('Memory', 0.6)
    await page.mouse.down()
    await over('Memory', 0.95)
    await page.mouse.up()
    return false
  })
  await page.screenshot({ path: join(SHOTS, 'office-zoomed.png') })
  await page.getByRole('button', { name: 'Reset zoom' }).click()
  for (const range of ['1h', '24h', '7d', '30d']) {
    const answer = page.waitForResponse(r => r.url().includes('/charts?'))
    await page.getByRole('radio', { name: range, exact: true }).click()
    assert.equal((await answer).status(), 200)
  }
  await page.reload()
  await until('the range is remembered', async () => (await page.getByRole('radio', { name: '30d' }).getAttribute('aria-checked')) === 'true')

  // A minute that a chart shows outlives a restart.
  const began = Math.floor(Date.now() / 1000) - 600
  const minutes = async () => {
    const { t: at, series } = await script(serve, 'GET', `/charts?series=memory&from=${began}&to=${Math.floor(Date.now() / 1000)}&step=60s`)
    return at.filter((s, i) => series[0].values[i] !== null && s + 60 <= Date.now() / 1000)
  }
  await until('a whole minute', async () => (await minutes()).length > 0, 130_000)
  const had = await minutes()
  serve = await serve.restart()
  const has = await minutes()
  for (const minute of had) assert.ok(has.includes(minute), `the minute ${minute} is gone`)
})

test('two windows change the same setting: both are told, lists are joined', { skip }, async t => {
  const [one, two] = [await office(t, browser, serve), await office(t, browser, serve)]
  const row = page => page.locator('[id="s-site.holidays"]')
  const open = async page => {
    await visit(page, 'settings/site.holidays')
    await row(page).waitFor()
  }
  await open(one)
  await open(two)
  await row(two).locator('textarea').fill('2026-12-25\n2026-12-26') // typed, not yet saved
  await row(one).locator('textarea').fill('2026-12-31')
  await row(one).locator('textarea').blur()
  await row(one).getByText('Saved').waitFor()
  await row(two).locator('textarea').blur()
  await row(two).getByText('Changed elsewhere meanwhile to 2026-12-31.').waitFor()
  await two.screenshot({ path: join(SHOTS, 'office-conflict.png') })
  await row(two).getByRole('button', { name: 'Keep both' }).click()
  await row(two).getByText('Saved').waitFor()
  const kept = (await script(serve, 'GET', '/settings')).fields.find(f => f.path === 'site.holidays')
  assert.deepEqual(kept.value, ['2026-12-31', '2026-12-25', '2026-12-26'])
  await until('the other window shows it', async () => (await row(one).locator('textarea').inputValue()) === '2026-12-31\n2026-12-25\n2026-12-26')
})

test('the session ends while an answer is typed: nothing is lost', { skip }, async t => {
  const w = await visitor(t, 'I need a person for order 8812')
  const page = await office(t, browser, serve)
  await visit(page, 'conversations')
  await page.getByText('order 8812').first().click()
  const box = page.getByRole('textbox', { name: 'Write an answer' })
  await box.fill('I have found your order, it left yesterday.')
  await page.context().clearCookies()
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('Your session has ended. Sign in to go on; nothing you typed is lost.').waitFor()
  await page.screenshot({ path: join(SHOTS, 'office-expired.png') })
  await page.getByRole('dialog').getByLabel('Name').fill('owner')
  await page.getByRole('dialog').getByLabel('Password').fill(PASSWORD)
  await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click()
  await until('the answer at the visitor', async () => (await w.texts()).some(m => m.from === 'operator' && /left yesterday/.test(m.text)))
  await until('the box is empty', async () => (await box.inputValue()) === '')
})

test('the appliance dies while the page is open: it says so, and goes on when it is back', { skip }, async t => {
  const page = await office(t, browser, serve)
  await visit(page, 'settings')
  const name = page.locator('[id="s-site.name"] input')
  await name.fill('A name that is being typed')
  await serve.stop('SIGKILL')
  await page.getByText('Connection lost. Trying again.').waitFor()
  await page.evaluate(() => (location.hash = '#/people')) // a page that was never loaded
  await page.getByText('A part of this page did not arrive.').waitFor()
  await page.screenshot({ path: join(SHOTS, 'office-lost.png') })
  serve = await serve.restart()
  await page.getByRole('heading', { level: 1, name: 'People' }).waitFor({ timeout: 30_000 })
  await until('the banner has gone', async () => (await page.getByText('Connection lost').count()) === 0, 30_000)
  await visit(page, 'conversations')
  await visitor(t, 'Are you back? [[say:We are.]]')
  await page.getByText('We are.').first().waitFor()
})

test('what a visitor sends shows as a picture, what they write as words', { skip }, async t => {
  const evil = '<img src=x onerror="window.hacked=1"> <script>window.hacked=1</script>'
  const w = await visitor(t, evil)
  const [chooser] = await Promise.all([w.page.waitForEvent('filechooser'), w.host.getByRole('button', { name: 'Attach a file' }).click()])
  await chooser.setFiles({ name: 'broken cup.png', mimeType: 'image/png', buffer: PNG })
  const page = await office(t, browser, serve)
  const { items: [{ id }] } = await script(serve, 'GET', '/conversations?state=all&limit=1&query=window.hacked')
  await visit(page, 'conversations/' + id)
  const log = page.getByRole('log')
  await log.getByText(evil, { exact: true }).waitFor()
  const picture = log.locator('img')
  await picture.waitFor()
  await until('the picture is drawn', () => picture.evaluate(i => i.complete && i.naturalWidth > 0))
  assert.equal(await page.evaluate(() => window.hacked), undefined)
  await page.screenshot({ path: join(SHOTS, 'office-picture.png') })
  assert.deepEqual(faults(page), [])
})

test('kept answers are counted and forgotten; a table of questions is mapped', { skip }, async t => {
  await script(serve, 'PATCH', '/settings', { path: 'merge.cache_ttl', value: '1h', revision: -1 })
  for (let i = 0; i < 2; i++) await visitor(t, 'The very same question [[say:the very same answer]]')
  const page = await office(t, browser, serve)
  await visit(page, 'settings/merge')
  await page.getByText(/given again 1 times/).waitFor()
  await page.getByRole('button', { name: 'Forget them' }).click()
  await page.getByText(/^0 answers are kept/).waitFor()
  assert.equal((await script(serve, 'GET', '/answers')).entries, 0)

  await visit(page, 'faq')
  await page.getByLabel('Actions', { exact: true }).click()
  const dialog = page.getByRole('dialog')
  await page.getByRole('menuitem', { name: 'Import' }).click()
  await dialog.getByLabel('Choose a file').setInputFiles({ name: 'fragen.csv', mimeType: 'text/csv', buffer: Buffer.from('Nr;Kunde fragt;Wir sagen\n1;Habt ihr Oolong?;Ja, aus Taiwan.\n') })
  await dialog.getByText('Which column is which?').waitFor()
  await dialog.getByLabel(/Kunde fragt/).selectOption('question')
  await dialog.getByLabel(/Wir sagen/).selectOption('answer')
  await dialog.getByText('1 new, 0 changed').waitFor()
  await page.screenshot({ path: join(SHOTS, 'office-columns.png') })
  await dialog.getByRole('button', { name: 'Import' }).click()
  await page.getByRole('link', { name: /Habt ihr Oolong/ }).waitFor()
})

test('by keyboard alone', { skip }, async t => {
  const page = await office(t, browser, serve)
  const key = (...keys) => keys.reduce((p, k) => p.then(() => page.keyboard.press(k)), Promise.resolve())
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() || document.activeElement?.getAttribute('aria-label'))
  await key('Tab')
  assert.equal(await focused(), 'Skip to content')
  await key('Enter')
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main')
  await key('g', 'k')
  await page.getByRole('heading', { level: 1, name: 'Keys' }).waitFor()
  await until('the heading has the focus', async () => (await focused()) === 'Keys')
  await key('g', 's')
  await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
  await page.getByRole('searchbox', { name: 'Search settings' }).waitFor()
  await key('/')
  await until('the search has the focus', async () => (await focused()) === 'Search settings')
  await page.keyboard.type('threshold')
  await page.getByText('faq.threshold').waitFor()
  await key('Tab', 'Shift+Tab', 'Escape')
  await page.evaluate(() => document.activeElement?.blur())
  await key('?')
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
  await key('Escape', 'Control+k')
  await page.keyboard.type('backup')
  await key('Enter')
  await page.getByRole('heading', { level: 1, name: 'Backup' }).waitFor()
  await key('Control+k')
  await page.keyboard.type('appearance')
  await key('Enter')
  await until('it is dark', () => page.evaluate(() => document.documentElement.dataset.theme === 'dark'))
})
