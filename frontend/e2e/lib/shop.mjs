import { launch, openPage, Widget } from './browser.mjs'
import { startMock } from './mock.mjs'

/** One browser for a file of tests; each test gets its own mock and page. */
export function shops() {
  let browser
  return {
    start: async () => void (browser = await launch()),
    stop: () => browser.close(),
    browser: () => browser,
    /** `options.path` is opened, unless it is null; the rest is the page's context. */
    async shop(t, site = {}, options = {}) {
      const { path = '/demo', pages, ...rest } = options
      const mock = await startMock({ site: { title: 'Hillside', ...site }, pages })
      const page = await openPage(browser, rest)
      t.after(async () => {
        await page.context().close()
        await mock.stop()
      })
      if (path !== null) await page.goto(mock.url + path)
      return { mock, page, w: new Widget(page) }
    },
  }
}
