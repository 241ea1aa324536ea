// From nothing to the first visitor who was answered: the first run of a fresh
// appliance, in the browser, with the real widget in its frame.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, openPage, until } from '../lib/browser.mjs'
import { haveDaemon, startServe, startSim } from '../lib/daemon.mjs'
import { axe, faults } from '../lib/office.mjs'

const skip = !haveDaemon() && 'build/bin/haoked is missing'
const SHOTS = join(import.meta.dirname, '../../../build/shots')
const STANDARD = 8787

let browser, sim
before(async () => {
  if (skip) return
  mkdirSync(SHOTS, { recursive: true })
  browser = await launch()
  sim = await startSim(['--latency', '60ms', '--pace', '10ms', '--key', 'sk-right-one-1234'])
})
after(async () => {
  await browser?.close()
  await sim?.stop()
})

/** A port that is free now; 0 asks for any. */
const free = port => new Promise(r => {
  const s = createServer().once('error', () => r(0)).listen(port, '127.0.0.1', () => {
    const got = s.address().port
    s.close(() => r(got))
  })
})

test('from nothing to the first answered visitor', { skip, timeout: 120_000 }, async t => {
  // The standard port is free on most machines; then the first run moves it.
  const movable = (await free(STANDARD)) === STANDARD
  const serve = await startServe({ config: '[secrets]\nstore = "file"\n', publicAddr: movable ? null : '127.0.0.1:0' })
  t.after(() => serve.end())
  const began = Date.now()
  const page = await openPage(browser, { viewport: { width: 1280, height: 860 }, locale: 'en-GB' })
  t.after(() => page.context().close())
  const heading = name => page.getByRole('heading', { level: 1, name }).waitFor()
  const next = () => page.getByRole('button', { name: 'Next', exact: true }).click()
  const shot = n => page.screenshot({ path: join(SHOTS, `firstrun-${n}.png`) })

  // Nobody owns it yet: the words of the log claim it.
  await page.goto(serve.admin + '/')
  await heading('Choose a password')
  const words = /type these words: (.+)$/m.exec(serve.errors())?.[1]?.trim()
  assert.ok(words, serve.errors())
  await page.getByLabel('One-time token').fill(words)
  await page.getByLabel('Password').fill('short')
  await page.getByRole('button', { name: 'Claim' }).click()
  await page.getByRole('alert').getByText('Use at least 10 characters.').waitFor()
  await page.getByLabel('Password').fill('a long enough password')
  await page.getByRole('button', { name: 'Claim' }).click()

  await heading('Which language shall this window speak?')
  assert.deepEqual(await axe(page), [], 'language')
  await page.getByRole('radio', { name: '简体中文' }).click()
  await heading('这个窗口用哪种语言？')
  await page.getByRole('radio', { name: 'English' }).click()
  await next()

  await heading('What is the shop called?')
  await page.getByLabel('Name of the shop').fill('Morning Hill Tea')
  await next()

  await heading('Who writes the answers?')
  await page.getByLabel('Service').selectOption('custom')
  await page.getByLabel('Base URL').fill(sim.url) // without /v1
  await page.getByRole('button', { name: 'Use this' }).click()
  assert.equal(await page.getByLabel('Base URL').inputValue(), sim.url + '/v1')
  await page.getByLabel('Key', { exact: true }).fill('sk-a-wrong-one-9999')
  await page.getByLabel('Key', { exact: true }).blur() // tested at once
  await page.getByText(/refused|401/).first().waitFor()
  await shot('wrong-key')
  assert.deepEqual(await axe(page), [], 'provider')
  await page.getByLabel('Key', { exact: true }).fill('  sk-right-one-1234 \n')
  await page.getByLabel('Key', { exact: true }).blur()
  await page.getByText(/Works: .* answered in/).waitFor()
  await shot('right-key')
  await next()

  // The page is closed in the middle: it goes on where it was.
  await heading('How does the widget greet?')
  await page.reload()
  await heading('How does the widget greet?')
  await page.getByLabel('Greeting').fill('Good day. Ask me about tea.')
  await page.getByRole('button', { name: '#2559B8' }).click()
  await page.frameLocator('iframe').getByText('Good day. Ask me about tea.').waitFor()
  await shot('look')
  assert.deepEqual(await axe(page), [], 'look')
  await next()

  await heading('Where do visitors reach it?')
  if (movable) {
    const field = page.getByLabel("Visitors' address")
    const busy = createServer().listen(0, '127.0.0.1')
    await new Promise(r => busy.once('listening', r))
    t.after(() => busy.close())
    await field.fill(`127.0.0.1:${busy.address().port}`)
    await page.getByText(/is taken by .*node/i).waitFor()
    await shot('port-taken')
    const to = await free(0)
    await field.fill(`127.0.0.1:${to}`)
    await page.getByText(`127.0.0.1:${to} is free.`).waitFor()
    await next()
    await heading('Put it on your pages')
    assert.match(await page.locator('pre').innerText(), new RegExp(`127.0.0.1:${to}/widget.js`))
  } else {
    await page.getByText(/Already listening/).waitFor()
    await next()
    await heading('Put it on your pages')
  }
  await page.getByLabel(/Address of the shop/).fill('shop.example/tea')
  await shot('embed')
  assert.deepEqual(await axe(page), [], 'embed')
  await next()

  await heading('Ask as a visitor')
  const frame = page.frameLocator('iframe')
  await frame.locator('textarea').fill('Do you ship to Norway? [[say:Yes, within five days.]]')
  await frame.locator('textarea').press('Enter')
  await page.getByText('A visitor has been answered. All is set.').waitFor()
  await page.getByText('Yes, within five days.').first().waitFor()
  await shot('answered')
  t.diagnostic(`from the first page to the first answer: ${((Date.now() - began) / 1000).toFixed(1)} s`)
  await page.getByRole('button', { name: 'Open the overview' }).click()
  await heading('Overview')
  await until('the sentence', async () => /^Serving\./.test(await page.getByRole('status').first().innerText()))
  await shot('overview')
  await page.reload()
  await heading('Overview')
  assert.deepEqual(faults(page, /favicon|401/), [])
})

test('without a key, put off and taken up again', { skip, timeout: 90_000 }, async t => {
  const serve = await startServe({ config: '[secrets]\nstore = "file"\n[admin]\npassword = "a long enough password"\n' })
  t.after(() => serve.end())
  const page = await openPage(browser, { viewport: { width: 390, height: 844 }, locale: 'zh-CN' })
  t.after(() => page.context().close())
  const heading = name => page.getByRole('heading', { level: 1, name }).waitFor()
  await page.goto(serve.admin + '/')
  await page.getByLabel('密码').fill('a long enough password')
  await page.getByRole('button', { name: '登录' }).click()
  await heading('这个窗口用哪种语言？')
  await page.getByRole('button', { name: '下一步' }).click()
  await page.getByRole('button', { name: '跳过' }).click()
  await heading('由谁来回答？')
  await page.getByRole('button', { name: '以后再说' }).click()
  await heading('概览')
  await page.getByText('首次设置还没有完成。').waitFor()
  await page.getByRole('link', { name: '继续' }).click()
  await heading('由谁来回答？')
  await page.getByRole('button', { name: '先不用密钥' }).click()
  for (const name of ['聊天窗怎样打招呼？', '访客从哪里访问？', '放到你的网页上']) {
    await heading(name)
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, name)
    await page.getByRole('button', { name: '跳过' }).click()
  }
  await heading('以访客身份提问')
  const frame = page.frameLocator('iframe')
  await frame.locator('textarea').fill('你们发货到哪里？')
  await frame.locator('textarea').press('Enter')
  await page.getByText('已经有访客得到回答，一切就绪。').waitFor()
  await page.screenshot({ path: join(SHOTS, 'firstrun-phone-zh.png') })
  await page.getByRole('button', { name: '打开概览' }).click()
  await heading('概览')
  await page.getByText(/没有接入服务商，由常见问题回答/).first().waitFor()
  assert.equal(await page.getByText('首次设置还没有完成。').count(), 0)
})
