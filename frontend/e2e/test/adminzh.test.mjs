// The Chinese page of a running appliance, on which everything goes wrong that
// the server has sentences for: none of them may be read in English there.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openPage, until, Widget } from '../lib/browser.mjs'
import { startSim } from '../lib/daemon.mjs'
import { open, SHOTS, skip } from '../lib/house.mjs'
import { faults, office, script, visit } from '../lib/office.mjs'

let browser, serve, close
before(async () => {
  if (!skip) ({ browser, serve, close } = await open())
})
after(() => close?.())

/**
 * English sentences that the page shows: four words of Latin letters in a row,
 * in texts and in what a pointer reveals. What people wrote, code, the log
 * and the words of a database's driver are no words of the page.
 */
const english = page =>
  page.evaluate(() => {
    const sentence = /(?:[A-Za-z][a-z'’]+[,;:]? +){3,}[a-z'’]+/
    const foreign = 'code, pre, script, style, textarea, .mono, [role=log], .last, .licences, option, .line, .list li, .result li'
    const found = new Set()
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    // A provider is quoted as it spoke.
    const own = text => text.replace(/（对方说：.*）/gs, '')
    while (walk.nextNode()) if (sentence.test(own(walk.currentNode.data)) && !walk.currentNode.parentElement.closest(foreign)) found.add(walk.currentNode.data.trim())
    for (const e of document.querySelectorAll('[title], [aria-label], [placeholder]')) {
      if (e.closest(foreign)) continue
      for (const name of ['title', 'aria-label', 'placeholder']) if (sentence.test(own(e.getAttribute(name) ?? ''))) found.add(`${name}: ${e.getAttribute(name)}`)
    }
    return [...found]
  })

const zh = t => office(t, browser, serve, { locale: 'zh-CN' })
const read = async (page, where) => {
  await page.waitForTimeout(150)
  assert.deepEqual(await english(page), [], where)
}

test('the test sees English where it stands', { skip }, async t => {
  const page = await office(t, browser, serve)
  await visit(page, 'filters')
  assert.ok((await english(page)).length > 0)
})

test('every page is Chinese, with a visitor, answers, hits and a key at rest', { skip }, async t => {
  const guest = await openPage(browser, { locale: 'zh-CN' })
  t.after(() => guest.context().close())
  await guest.goto(serve.public + '/demo')
  const w = new Widget(guest)
  await w.open()
  await w.say('你好 [[say:您好，**两天内**发货。]]')
  await w.message('ai')
  await w.say('再问一次 [[429]]')
  await w.message('system').catch(() => {})
  const page = await zh(t)
  for (const name of ['overview', 'conversations', 'faq', 'filters', 'keys', 'widget', 'archive', 'settings', 'logs', 'backup', 'people', 'about']) {
    await visit(page, name)
    await page.waitForTimeout(400)
    await read(page, name)
    await page.screenshot({ path: join(SHOTS, `real-zh-${name}.png`) })
  }
  await visit(page, 'conversations')
  await page.locator('[id^=c-]').first().click()
  await page.getByRole('log').locator('strong').getByText('两天内').waitFor()
  await read(page, 'a conversation and how its answer was made')
  await page.screenshot({ path: join(SHOTS, 'real-zh-conversation.png') })
  assert.deepEqual(faults(page), [])
})

test('what the server finds in files, patterns and drafts', { skip }, async t => {
  const page = await zh(t)
  await visit(page, 'filters')
  const list = await script(serve, 'POST', '/filters/lists', { name: '测试词表', category: '', action: '', way: 'both', replace: '', enabled: true })
  await page.reload()
  await page.getByRole('button', { name: '测试词表' }).last().click()
  await page.getByRole('menuitem', { name: '导入' }).click()
  const dialog = page.getByRole('dialog')
  const words = `赌博,钱,block\n赌博,钱,block\n赌博,钱,mask\n贝\n!!!\n${'长'.repeat(80)}\n坏,钱,explode\n"a,b\n`
  await dialog.locator('input[type=file]').setInputFiles({ name: 'words.csv', mimeType: 'text/csv', buffer: Buffer.from(words) })
  await dialog.getByText('第 2 行').waitFor()
  assert.match(await dialog.innerText(), /在第 1 行已有.*未采用/s)
  await read(page, 'notes of a word list')
  await page.screenshot({ path: join(SHOTS, 'real-zh-import.png') })
  await dialog.locator('input[type=file]').setInputFiles({ name: 'words.bin', mimeType: 'text/plain', buffer: Buffer.from([0xff, 0x80, 0x00, 0x41]) })
  await dialog.getByRole('alert').waitFor()
  await read(page, 'a file that is no text')
  await page.keyboard.press('Escape')
  await script(serve, 'DELETE', '/filters/lists/' + list.id)

  await page.getByRole('tab', { name: '模式' }).click()
  await page.getByRole('button', { name: '添加模式' }).first().click()
  for (const expr of ['(a', '(?=x)y', 'a{2000}', '\\1', '', 'x*']) {
    await page.getByRole('dialog').getByLabel('表达式', { exact: false }).first().fill(expr)
    await page.waitForTimeout(400)
    await read(page, `the pattern ${expr}`)
  }
  await page.keyboard.press('Escape')

  await visit(page, 'faq')
  await page.locator('main header').getByRole('button', { name: '操作' }).click()
  await page.getByRole('menuitem', { name: '导入' }).click()
  await page.getByRole('dialog').locator('input[type=file]').setInputFiles({ name: 'faq.csv', mimeType: 'text/csv', buffer: Buffer.from(`question,answer,lang\n运费,十元,zh\n运费,十元,zh\n问,,zh\n${'问'.repeat(600)},答,zh\n问题,答案,chinese!\n`) })
  await page.getByRole('dialog').getByText('第 3 行').waitFor()
  await read(page, 'notes of a FAQ')
  await page.screenshot({ path: join(SHOTS, 'real-zh-import-faq.png') })
})

test('what is refused, warned of and cannot be reached', { skip }, async t => {
  const page = await zh(t)
  await visit(page, 'settings/server.allowed_origins')
  const box = page.locator('[id="s-server.allowed_origins"]').locator('textarea, input').first()
  await box.fill('*')
  await box.blur()
  await page.getByText('任何网站都能嵌入').waitFor()
  await read(page, 'a warning of a setting')
  await box.fill('shop.example/page')
  await box.blur()
  await page.locator('[id="s-server.allowed_origins"]').locator('.red, [role=alert]').first().waitFor()
  await read(page, 'a refused setting')
  await page.screenshot({ path: join(SHOTS, 'real-zh-refused.png') })
  await box.fill('https://shop.example')
  await box.blur()

  await visit(page, 'widget')
  for (const url of ['https://shop.example/tea', 'https://evil.example/', 'http://shop.example/', 'nonsense']) {
    await page.getByLabel('测试网页').fill(url)
    await page.getByRole('button', { name: '测试网页' }).click()
    await page.waitForTimeout(250)
    await read(page, `the page ${url}`)
  }

  await visit(page, 'archive')
  const address = page.locator('input[type=password]')
  for (const dsn of ['clickhouse://a:b@127.0.0.1:9/x', 'clickhouse://a:b@no-such-host.invalid:9000/x', 'nonsense', 'clickhouse://a:b@127.0.0.1:' + new URL(serve.public).port + '/x']) {
    await address.fill(dsn)
    await page.getByRole('button', { name: '测试连接' }).click()
    await page.locator('.result').waitFor({ timeout: 30_000 })
    await read(page, `ClickHouse at ${dsn}`)
  }
  await page.screenshot({ path: join(SHOTS, 'real-zh-archive-test.png') })
})

test('keys that are refused, rest or cannot be reached', { skip }, async t => {
  const strict = await startSim(['--key', 'sk-right', '--rpm', '1'])
  t.after(() => strict.stop())
  const page = await zh(t)
  const bad = [
    ['拒绝', strict.url + '/v1', 'sk-wrong'],
    ['不通', 'http://127.0.0.1:9/v1', 'sk-x'],
    ['无名', 'https://no-such-host.invalid/v1', 'sk-x'],
    ['网页', serve.public + '/demo', 'sk-x'],
  ]
  for (const [name, base_url, value] of bad) {
    await script(serve, 'POST', '/providers', { name, preset: 'custom', base_url, model: 'gpt-4o-mini', models: {}, enabled: true })
    await script(serve, 'POST', '/keys', { name: name + '钥', provider: name, value, rpm: 0, tpm: 0, weight: 1 })
  }
  await visit(page, 'keys')
  for (const [name] of bad) {
    const row = page.locator('li').filter({ hasText: name + '钥' }).first()
    await row.getByRole('button', { name: '测试' }).click()
    await row.locator('.result').waitFor({ timeout: 30_000 })
  }
  await read(page, 'keys after their tests')
  await page.screenshot({ path: join(SHOTS, 'real-zh-keys-bad.png'), fullPage: true })
  // Used for visitors, they come to rest with a reason; the overview tells of it.
  const guest = await openPage(browser, { locale: 'zh-CN' })
  t.after(() => guest.context().close())
  await guest.goto(serve.public + '/demo')
  const w = new Widget(guest)
  await w.open()
  for (const fault of ['[[401]]', '[[quota]]', '[[503]]', '[[html]]']) {
    await w.say(`问题 ${fault}`)
    await until('the end of ' + fault, async () => !(await w.host.locator('.dots').count()))
    await guest.waitForTimeout(300)
  }
  for (const name of ['overview', 'keys', 'conversations']) {
    await visit(page, name)
    await page.waitForTimeout(400)
    await read(page, `${name} with keys that fail`)
    await page.screenshot({ path: join(SHOTS, `real-zh-${name}-bad.png`) })
  }
  await page.locator('[id^=c-]').first().click()
  await page.getByRole('log').waitFor()
  await read(page, 'why answers failed')
  await page.screenshot({ path: join(SHOTS, 'real-zh-conversation-bad.png') })
  assert.deepEqual(faults(page, /favicon|status of 4\d\d/), [])
})
