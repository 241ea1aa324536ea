// Pictures of the built page over the fixtures, for looking at. Fails on any
// refusal by the content policy, on script errors and on findings of axe-core.
//   node scripts/shots.mjs [--out FOLDER] [--only PAGE,PAGE] [--quick]
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const arg = (name, fallback) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : fallback);
const out = arg('--out', new URL('../../../build/shots/', import.meta.url).pathname);
const only = arg('--only', '').split(',').filter(Boolean);
const quick = process.argv.includes('--quick');
mkdirSync(out, { recursive: true });

const server = await preview({ root: new URL('..', import.meta.url).pathname, preview: { port: 0, host: '127.0.0.1' }, logLevel: 'silent' });
const base = server.resolvedUrls.local[0];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking'] });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const sizes = { small: [960, 640], normal: [1280, 800], large: [1440, 900], phone: [390, 844] };
const pages = ['overview', 'conversations', 'faq', 'filters', 'keys', 'widget', 'archive', 'settings', 'logs', 'backup', 'people', 'about', 'wizard', 'signin', 'palette'];
const variants = [
  ['normal', 'light', 'en'],
  ['normal', 'dark', 'en'],
  ...(quick ? [] : [['small', 'light', 'en'], ['large', 'light', 'zh-CN'], ['large', 'dark', 'zh-CN'], ['phone', 'light', 'en'], ['phone', 'dark', 'zh-CN']]),
];
const scenes = { overview: ['busy', 'quiet', 'trouble'], conversations: ['busy', 'quiet'], keys: ['busy', 'quiet'], faq: ['busy', 'quiet'], wizard: ['wizard'], signin: ['signedout', 'unclaimed'], archive: ['busy', 'quiet'], backup: ['busy', 'quiet'], filters: ['busy', 'broken'] };
const faults = [];

/** What to do on a page before its picture is taken. */
const prepare = {
  async conversations(page, scene) {
    if (scene !== 'busy') return;
    const rows = page.locator('[id^=c-]');
    await rows.first().click();
    await page.getByRole('log').waitFor();
  },
  async faq(page, scene) {
    if (scene === 'busy') await page.getByText(/How long does shipping take/).first().click();
  },
  async filters(page, scene) {
    if (scene === 'busy') {
      await page.locator('.tester textarea').first().fill('Best c-a-s-i-n-o bonus, call 13812345678');
      await page.locator('li .name').first().click();
    }
  },
  async palette(page) {
    await page.keyboard.press('Control+k');
    await page.keyboard.type('a');
  },
};

for (const name of pages.filter((p) => only.length === 0 || only.includes(p))) {
  for (const [size, theme, language] of variants) {
    for (const scene of scenes[name] ?? ['busy']) {
      if (scene !== (scenes[name] ?? ['busy'])[0] && !(size === 'normal' && theme === 'light')) continue;
      const [width, height] = sizes[size];
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: language, reducedMotion: 'reduce', deviceScaleFactor: size === 'phone' ? 2 : 1 });
      const page = await context.newPage();
      const label = [name, scene, size, theme, language].join('-');
      page.on('console', (m) => m.type() === 'error' && !/ws:\/\/127|status of (500|401)|ERR_CONNECTION/.test(m.text()) && faults.push(`${label}: ${m.text()}`));
      page.on('pageerror', (e) => faults.push(`${label}: ${e.stack}`));
      const hash = name === 'signin' || name === 'palette' ? 'overview' : name;
      await page.goto(`${base}?mock=${scene}#/${hash}`);
      await page.waitForSelector('h1', { timeout: 8000 }).catch(() => faults.push(`${label}: nothing to see`));
      await page.waitForTimeout(250);
      await prepare[name]?.(page, scene).catch((e) => faults.push(`${label}: ${e.message.split('\n')[0]}`));
      await page.waitForTimeout(450);
      await page.screenshot({ path: `${out}/admin-${label}.png` });
      if (size === 'normal' || size === 'phone') {
        // Injected outside of the page's policy, as the devtools do.
        await page.evaluate(axe).catch(() => {});
        const found = await page.evaluate(async () => (await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] })).violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`));
        for (const f of found) faults.push(`${label}: axe ${f}`);
      }
      if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) faults.push(`${label}: wider than the window`);
      await context.close();
    }
  }
}
await browser.close();
await server.close();
for (const fault of faults) console.error(fault);
console.log(`pictures in ${out}; ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
