// The filter in the running appliance: what visitors meet, and the owner's page
// with a list of a hundred thousand words.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { launch, openPage, until, Widget } from '../lib/browser.mjs'
import { haveDaemon, startServe, startSim } from '../lib/daemon.mjs'

const SHOTS = join(import.meta.dirname, '../../../build/shots')
const TOKEN = 'script-token-for-the-tests'
const MANY = 100_000

let browser, sim, serve, owner
before(async () => {
  assert.ok(haveDaemon(), 'build/bin/haoked is missing: make daemon')
  mkdirSync(SHOTS, { recursive: true })
  browser = await launch()
  sim = await startSim(['--latency', '30ms', '--pace', '20ms', '--key', 'sk-right-one-1234'])
  serve = await startServe({ config: `[admin]\ntoken = "${TOKEN}"\npassword = "a long enough password"\n[upstream]\nbase_url = "${sim.url}/v1"\n[[upstream.keys]]\nname = "first"\nvalue = "sk-right-one-1234"\n[secrets]\nstore = "file"\n` })
  await api('/wizard', { method: 'PUT', body: JSON.stringify({ step: '', done: true }) })
  owner = await openPage(browser, { viewport: { width: 1280, height: 900 } })
  await owner.goto(serve.admin + '/')
  const status = await owner.evaluate(async () => (await fetch('/api/admin/v1/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'owner', password: 'a long enough password' }) })).status)
  assert.ok(status < 300, 'signing in: ' + status)
})
after(async () => {
  await browser?.close()
  await serve?.end()
  await sim?.stop()
})

const api = async (path, init = {}) => {
  const res = await fetch(serve.admin + '/api/admin/v1' + path, { ...init, headers: { Authorization: 'Bearer ' + TOKEN, 'Content-Type': 'application/json', ...init.headers } })
  const body = res.headers.get('content-type')?.includes('json') ? await res.json() : await res.text()
  assert.ok(res.status < 300, `${path}: ${res.status} ${JSON.stringify(body)}`)
  return body
}
const config = async part => {
  const { config } = await api('/filters')
  return api('/filters/config', { method: 'PUT', body: JSON.stringify({ ...config, ...part, review: { ...config.review, ...part.review } }) })
}
const addList = (name, action, words, more = {}) => api('/filters/lists', { method: 'POST', body: JSON.stringify({ name, category: '', action, way: 'both', replace: '', enabled: true, ...more }) })
  .then(async list => (await api(`/filters/lists/${list.id}/words`, { method: 'POST', body: JSON.stringify({ add: words, remove: [] }) }), list))
const upstreamCalls = async () => (await (await fetch(sim.url + '/sim/stats')).json()).calls

async function visitor(t) {
  const page = await openPage(browser)
  t.after(() => page.context().close())
  await page.goto(serve.public + '/demo')
  const w = new Widget(page)
  await w.open()
  return w
}
/** Says something and waits for what ends the turn. */
async function ask(w, text) {
  const had = (await w.texts()).length
  await w.say(text)
  let all
  await until('an answer to ' + text, async () => ((all = await w.texts()), all.length > had + 1 && all.at(-1).from !== 'visitor' && !(await w.host.locator('.tail').count())), 20_000)
  return { said: all[had], answer: all.at(-1), all }
}
async function filters(tab = '') {
  await owner.goto('about:blank')
  await owner.goto(`${serve.admin}/#/filters${tab && '/' + tab}`)
  await owner.getByRole('heading', { level: 1 }).first().waitFor()
}

test('every action does what it says', async t => {
  await addList('Blocks', 'block', ['forbidden word'])
  await addList('Masks', 'mask', ['teacup'], { category: 'crockery' })
  await addList('Replaces', 'replace', ['kettle'], { replace: 'vessel' })
  await addList('Hands over', 'handover', ['lawyer'])
  await addList('Notes', 'note', ['discount'])
  await addList('Not in answers', 'mask', ['saucer'], { way: 'out' })
  await addList('Other words in answers', 'replace', ['spout'], { way: 'out', replace: 'nozzle' })
  const w = await visitor(t)
  const calls = await upstreamCalls()
  const blocked = await ask(w, 'this is a f-o-r-b-i-d-d-e-n w0rd')
  assert.equal(blocked.answer.from, 'system')
  assert.doesNotMatch(blocked.answer.text, /filter|block|forbidden/i)
  assert.equal(await upstreamCalls(), calls, 'a blocked message went upstream')

  for (const [style, want] of [['same', 'a ****** please'], ['three', 'a *** please'], ['label', 'a [crockery] please']]) {
    await config({ mask_style: style })
    assert.equal((await ask(w, 'a teacup please')).said.text, want)
  }
  await config({ mask_style: 'same' })
  assert.equal((await ask(w, 'a KETTLE please')).said.text, 'a vessel please')
  // the answer is filtered as well, whatever pieces it comes in
  await ask(w, 'say something [[say:Have a s·a·u·c·e·r and a ｓｐｏｕｔ, dear.]]')
  const { items: [{ id }] } = await api('/conversations?limit=1')
  assert.equal((await api('/conversations/' + id)).messages.at(-1).text, 'Have a *********** and a nozzle, dear.')
  const noted = await ask(w, 'a discount? [[say:A discount it is.]]')
  assert.equal(noted.answer.text, 'A discount it is.')

  await config({ shadow: true })
  const shadow = await ask(w, 'this is a forbidden word [[say:All is shown in shadow mode.]]')
  assert.equal(shadow.answer.text, 'All is shown in shadow mode.')
  await config({ shadow: false })
  const log = await api('/filters/hits?limit=50')
  assert.ok(log.items.some(h => h.rule === 'forbidden word' && h.shadow), 'the shadow hit is not in the log')
  assert.ok(log.items.some(h => h.rule === 'forbidden word' && !h.shadow && h.action === 'block' && h.match === 'f-o-r-b-i-d-d-e-n w0rd'))

  await w.say('I will call my lawyer')
  await until('a person is asked', async () => (await api('/conversations?limit=5')).items.some(c => c.mode === 'waiting'))
})

test('review by the model: beside the answer it takes back, held back nothing is shown', async t => {
  for (const hold of [false, true]) {
    await config({ review: { on: true, hold, questions: true, answers: true, on_failure: 'allow', timeout_ms: 30_000 } })
    const w = await visitor(t)
    assert.equal((await ask(w, 'Hello [[say:all is well]]')).answer.text, 'all is well')
    await w.host.evaluate(el => {
      window.seen = ''
      new MutationObserver(() => (window.seen += el.shadowRoot.querySelector('.tail')?.textContent ?? '')).observe(el.shadowRoot, { subtree: true, childList: true, characterData: true })
    })
    const bad = await ask(w, 'Tell me [[say:one two three ' + 'and so on '.repeat(20) + 'flagged words: flagme eleven twelve]]')
    const seen = await w.page.evaluate(() => window.seen)
    assert.equal(bad.answer.from, 'system', `hold ${hold}: ${JSON.stringify(bad.all)}`)
    assert.doesNotMatch(bad.answer.text, /flagme|eleven/)
    if (hold) assert.doesNotMatch(seen, /one two/, 'something was shown before the verdict')
    else assert.match(seen, /one/, 'the answer did not stream')
    // what was withheld is not told to the model again
    assert.equal((await ask(w, 'And now [[say:still well]]')).answer.text, 'still well')
  }
  await config({ review: { on: false, hold: false } })
})

test('a false positive becomes an exception that holds', async t => {
  await addList('Too strict', 'block', ['cock'])
  const w = await visitor(t)
  assert.equal((await ask(w, 'a weather cock for my roof')).answer.from, 'system')
  await filters('hits')
  const row = owner.getByRole('listitem').filter({ hasText: 'Too strict' }).or(owner.getByRole('listitem').filter({ hasText: 'cock' })).first()
  await row.getByRole('button', { name: 'False positive' }).click()
  await owner.getByText('Exception added').waitFor()
  const { exceptions } = await api('/filters')
  assert.deepEqual(exceptions.filter(e => e.rule === 'cock').map(e => e.text), ['cock'])
  assert.equal((await ask(w, 'a weather cock for my roof [[say:Of course.]]')).answer.text, 'Of course.')
  // exceptions can be written by hand as well, one a line
  await owner.getByRole('textbox', { name: 'Add exceptions' }).fill('forbidden word association\nteacup ride\n')
  await owner.getByRole('button', { name: 'Add exceptions' }).click()
  await owner.getByText('2 exceptions added').waitFor()
  assert.equal((await ask(w, 'the teacup ride [[say:Fun.]]')).said.text, 'the teacup ride [[say:Fun.]]')
  await owner.screenshot({ path: join(SHOTS, 'filters-hits.png') })
})

test('a list of 100,000 words is scrolled and searched without lag', async t => {
  const list = await addList('Long list', 'note', [])
  const lines = Array.from({ length: MANY }, (_, i) => `zq${String(i).padStart(6, '0')}x`)
  const began = performance.now()
  const report = await api(`/filters/lists/${list.id}/import`, { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: lines.join('\n') })
  assert.equal(report.added, MANY)
  t.diagnostic(`imported and compiled in ${Math.round(performance.now() - began)} ms`)
  const asked = []
  owner.on('request', r => r.url().includes(`/lists/${list.id}/words`) && asked.push(r.url()))
  await filters('words')
  await owner.getByRole('button', { name: /Long list/ }).first().click()
  const area = owner.getByRole('region', { name: 'Long list' })
  await area.getByText('zq000000x').waitFor()
  const rows = () => area.getByRole('listitem').count()
  assert.ok((await rows()) < 40, 'more rows than are in sight')
  // ten seconds of scrolling at the speed of a person, with the frames measured
  const frames = await area.evaluate(async el => {
    const took = []
    let before = performance.now()
    let most = 0
    for (let i = 0; i < 120; i++) {
      el.scrollTop = (el.scrollHeight * i) / 120
      await new Promise(requestAnimationFrame)
      most = Math.max(most, el.querySelectorAll('li').length)
      took.push(performance.now() - before)
      before = performance.now()
    }
    took.sort((a, b) => a - b)
    return { median: took[60], p95: took[113], most }
  })
  t.diagnostic(`frames while scrolling: median ${frames.median.toFixed(1)} ms, p95 ${frames.p95.toFixed(1)} ms, at most ${frames.most} rows`)
  assert.ok(frames.most < 40, `${frames.most} rows at once`)
  await area.evaluate(el => (el.scrollTop = el.scrollHeight))
  await area.getByText(lines.at(-1)).waitFor()
  await area.evaluate(el => (el.scrollTop = el.scrollHeight / 2))
  await area.getByText(lines[MANY / 2]).waitFor()
  await owner.screenshot({ path: join(SHOTS, 'filters-long-list.png') })
  assert.ok(asked.length < 200, `${asked.length} requests`)
  await owner.getByRole('searchbox', { name: 'Search words' }).fill('099999')
  await until('the search', async () => (await rows()) === 1)
  // a word of its own category and action, kept in the export
  await area.getByRole('button', { name: /Category and action/ }).click()
  await owner.getByRole('combobox', { name: 'Action' }).last().selectOption('mask')
  await owner.getByRole('textbox', { name: 'Category' }).fill('special')
  await owner.getByRole('button', { name: 'Save' }).click()
  await area.getByText('special · Mask').waitFor()
  const csv = await api(`/filters/lists/${list.id}/export?format=csv`)
  assert.ok(csv.includes('zq099999x,special,mask\n'), csv.slice(-80))
  await api(`/filters/lists/${list.id}`, { method: 'DELETE' })
})

test('words as text, a table in GBK, a draft before it is saved', async () => {
  const list = await addList('Small list', 'block', ['apple', 'pear'])
  await filters('words')
  await owner.getByRole('button', { name: /Small list/ }).first().click()
  await owner.getByRole('button', { name: 'Edit as text' }).click()
  const text = owner.getByRole('textbox', { name: 'Edit as text' })
  await until('the words', async () => (await text.inputValue()) === 'apple\npear')
  await text.fill('apple\nplum\nquince')
  await owner.getByRole('button', { name: 'Save' }).click()
  await owner.getByText('2 added, 1 removed').waitFor()
  assert.deepEqual((await api(`/filters/lists/${list.id}/words`)).items, ['apple', 'plum', 'quince'])

  // 词,类别,动作 / 赌场,赌博,拦截 / 甲,,遮盖 in GBK
  const gbk = Buffer.from('b4ca2cc0e0b1f02cb6afd7f70ab6c4b3a12cb6c4b2a92cc0b9bdd80abcd72c2cd5dab8c70a', 'hex')
  await owner.getByRole('button', { name: 'Small list: Actions' }).click()
  await owner.getByRole('menuitem', { name: 'Import' }).click()
  await owner.locator('input[type=file]').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: gbk })
  await owner.getByText('gb18030').waitFor()
  await owner.getByText('赌博 · block').waitFor()
  await owner.getByText(/single character/).waitFor()
  await owner.screenshot({ path: join(SHOTS, 'filters-import.png') })
  await owner.getByRole('button', { name: 'Import', exact: true }).click()
  // While the dialog is open nothing behind it takes the focus, so what is
  // typed there is lost; the server has the words before the dialog knows.
  await owner.getByRole('dialog').waitFor({ state: 'hidden' })
  assert.ok((await api(`/filters/lists/${list.id}/words`)).items.includes('赌场'), 'not imported')

  await owner.getByRole('textbox', { name: 'Type or paste a message' }).fill('我 s.a.m.o.v.a.r and APPLE, 赌*场')
  await owner.getByText('Try rules before saving').click()
  await owner.getByLabel('Words', { exact: true }).last().fill('samovar\nz')
  await owner.getByText(/read as “samovar”: separators/).waitFor()
  await owner.getByText(/characters 3–15/).waitFor()
  await owner.getByText(/read as “apple”: case/).waitFor()
  await owner.getByText(/"z" is a single letter/).waitFor()
  await owner.screenshot({ path: join(SHOTS, 'filters-draft.png') })
  const { lists } = await api('/filters')
  assert.ok(!lists.some(l => l.name === 'draft'))
  assert.deepEqual(owner.errors.filter(e => !/401|favicon/.test(e)), [])
})
