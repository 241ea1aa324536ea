// Pictures of the widget for the eye, into build/shots.
import { mkdirSync } from 'node:fs'
import { launch, openPage, until, Widget } from './lib/browser.mjs'
import { startMock } from './lib/mock.mjs'

const out = process.env.HAOKE_SHOTS || new URL('../../build/shots/', import.meta.url).pathname
mkdirSync(out, { recursive: true })

const EN = { q: 'How long does shipping take, and what does it cost?', a: 'Orders leave within **two working days**.\n\n| Region | Days | Price |\n|---|---|---:|\n| At home | 2-3 | $4 |\n| Abroad | 5-9 | $12 |\n\n- Free over $60\n- You get a tracking link by e-mail\n\nMore on our [shipping page](https://shop.example/shipping).' }
const ZH = { q: '寄到上海要几天？运费多少？', a: '下单后**两个工作日**内发货。\n\n| 地区 | 天数 | 运费 |\n|---|---|---:|\n| 国内 | 2-3 | ¥10 |\n| 海外 | 5-9 | ¥80 |\n\n- 满 ¥299 包邮\n- 发货后邮件里有物流单号' }
const AR = { q: 'كم يستغرق الشحن؟', a: 'نرسل الطلبات خلال **يومي عمل**.\n\n- الشحن مجاني لما فوق 60 دولارًا\n- يصلك رابط التتبع بالبريد' }
const site = {
  title: 'Hillside Tea & Clay', greeting: 'Hello. Ask about tea, cups or an order.', hours: 'AI answers at once. People 10-18.',
  quick: ['How long does shipping take?', 'Which tea for the evening?', 'Is the cup dishwasher-safe?'], poweredBy: true, upload: true,
  texts: {
    'zh-CN': { title: '青山茶器', greeting: '您好，茶、器、订单都可以问。', hours: 'AI 即时回复，人工 10-18 点', quick: ['运费多少？', '晚上喝哪款茶？', '杯子能进洗碗机吗？'] },
    ar: { title: 'شاي وخزف', greeting: 'مرحبًا، اسألنا عن الشاي أو الأكواب أو طلبك.', hours: 'الذكاء الاصطناعي يجيب فورًا', quick: ['كم يستغرق الشحن؟', 'أي شاي للمساء؟'] },
  },
}
const SIZES = [[360, 740], [768, 1024], [1440, 900]]
const LOOKS = [['light', { locale: 'en-GB', colorScheme: 'light' }, EN], ['dark', { locale: 'en-GB', colorScheme: 'dark' }, EN], ['zh', { locale: 'zh-CN', colorScheme: 'light' }, ZH], ['ar', { locale: 'ar', colorScheme: 'light' }, AR]]

const browser = await launch()
const mock = await startMock({ site })
for (const [name, options, talk] of LOOKS) {
  for (const [width, height] of SIZES) {
    const page = await openPage(browser, { ...options, viewport: { width, height } })
    const w = new Widget(page)
    const shot = what => page.screenshot({ path: `${out}widget-${name}-${width}-${what}.png` })
    mock.answer = () => ({ pieces: talk.a.match(/[^]{1,12}/g), pause: 5, sources: name === 'light' ? [{ title: 'Shipping', url: 'https://shop.example/shipping' }] : undefined })
    await page.goto(mock.url + '/demo')
    await w.launcher.waitFor()
    await page.waitForTimeout(200)
    if (width !== 768) await shot('1-page')
    await w.open()
    await page.waitForTimeout(500)
    await shot('2-open')
    await w.say(talk.q)
    await w.message('ai')
    await page.waitForTimeout(300)
    await shot('3-answer')
    if (width === 1440) {
      await w.host.locator('[aria-haspopup=menu]').click()
      await shot('4-menu')
      await page.keyboard.press('Escape')
      mock.setMode(mock.last(), 'offline')
      await w.host.locator('.card.offline').waitFor()
      await page.waitForTimeout(150)
      await shot('5-offline')
    }
    await page.context().close()
  }
}
for (const colorScheme of ['light', 'dark']) {
  const page = await openPage(browser, { colorScheme, viewport: { width: 1024, height: 760 } })
  mock.answer = () => ({ pieces: [EN.a] })
  await page.goto(mock.url + '/chat')
  const w = new Widget(page)
  await w.panel.waitFor()
  await w.say(EN.q)
  await w.message('ai')
  await until('dressed', async () => (await w.host.locator('.act').count()) > 0)
  await page.screenshot({ path: `${out}widget-chat-${colorScheme}.png` })
  await page.context().close()
}
// What stands before a conversation and what ends it.
Object.assign(mock.site, { consent: { text: 'We keep this conversation for 90 days.', url: 'https://shop.example/privacy', required: true }, prechat: [{ name: 'name', required: true }, { name: 'email' }, { name: 'order', label: 'Order number' }] })
for (const [name, options] of [['light', { colorScheme: 'light' }], ['dark', { colorScheme: 'dark', viewport: { width: 390, height: 780 } }]]) {
  const page = await openPage(browser, options)
  const w = new Widget(page)
  await page.goto(mock.url + '/demo')
  await w.open()
  await w.host.locator('.con .pri').waitFor()
  await page.waitForTimeout(300)
  await page.screenshot({ path: `${out}widget-gate-${name}-consent.png` })
  await w.host.locator('.con .pri').click()
  await w.host.locator('.prechat .pri').click()
  await page.waitForTimeout(150)
  await page.screenshot({ path: `${out}widget-gate-${name}-questions.png` })
  await w.host.getByLabel('Name').fill('Ann')
  await w.host.locator('.prechat .pri').click()
  await w.say(EN.q)
  await w.host.locator('.act').waitFor()
  await w.host.locator('[aria-haspopup=menu]').click()
  await w.host.getByRole('menuitem', { name: 'Rate this conversation' }).click()
  await w.host.getByRole('radio', { name: '4 / 5' }).click()
  await page.waitForTimeout(150)
  await page.screenshot({ path: `${out}widget-gate-${name}-rating.png` })
  await page.context().close()
}
await browser.close()
await mock.stop()
