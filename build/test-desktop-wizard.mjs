// The first run in the real window, by keyboard: from nothing to the first
// visitor who is answered, with the simulator as the provider.
import { join } from 'node:path';
import { api, box, click, clickAt, DAEMON, finish, ready, root, set, setting, shot, sleep, spot, start, test, until, WINDOW, windows, x } from './desktop.mjs';

const JADE = '#0F7B6C';
const key = (...names) => x('key', '--delay', '60', ...names);
const type = (text) => x('type', '--delay', '12', text);
let win, at, sim;

const step = async () => (await api(at.admin, '/wizard')).step;
const reached = (name) => until(`the step ${name}`, async () => (await step()) === name, 30);
/** Replaces what stands in the field after so many tabs, and goes on to the next step. */
const fill = async (tabs, text) => {
  await sleep(600); // the heading has the focus by then
  for (let i = 0; i < tabs; i++) key('Tab');
  key('ctrl+a');
  type(text);
};

await test('a fresh window begins with the first run', async () => {
  sim = start(DAEMON, ['sim', '--addr', '127.0.0.1:0', '--key', 'sk-right-one-1234', '--latency', '40ms']);
  await until('the simulator', () => /url=(\S+)/.test(sim.out));
  const app = start(WINDOW, ['--data', join(root, 'wizard'), '--public', '127.0.0.1:0', '--admin', '127.0.0.1:0']);
  at = await ready(app);
  win = (await until('a window', () => windows().length && windows()))[0];
  await until('the page', async () => (await api(at.admin, '/status')).state && box(win).w > 300);
  await sleep(2500);
  shot('wizard-1-language');
});

await test('language and name', async () => {
  await until('the second question', async () => {
    click(win, 0.02, 0.9);
    key('Tab', 'Tab', 'Tab', 'Tab', 'Return'); // later, English, 简体中文, Next
    await sleep(700);
    return (await step()) === 'shop';
  });
  await sleep(500);
  key('ctrl+a');
  type('Window tea');
  shot('wizard-2-shop');
  key('Return');
  await reached('provider');
  if ((await setting(at.admin, 'site.name')) !== 'Window tea') throw new Error('the name was not saved');
});

await test('a provider whose key is tested', async () => {
  const url = /url=(http:\/\/[^\s/]+)/.exec(sim.out)[1];
  await fill(2, `${url}/v1`); // the service, its address
  key('Tab');
  type('sk-right-one-1234');
  shot('wizard-3-provider');
  key('Return');
  await reached('look');
  if ((await setting(at.admin, 'upstream.base_url')) !== `${url}/v1`) throw new Error('the address was not saved');
  if ((await api(at.admin, '/keys')).providers[0].keys.length !== 1) throw new Error('the key was not saved once');
});

await test('look, port and snippet', async () => {
  await fill(1, 'Window tea house');
  await sleep(2500); // the preview has loaded what was saved
  shot('wizard-4-look');
  key('Return');
  await reached('port');
  await sleep(800);
  shot('wizard-5-port');
  // The address is set on the command line here: the only open field is the public address.
  key('Tab', 'Return');
  await reached('embed');
  await sleep(800);
  shot('wizard-6-embed');
  key('Tab', 'Tab', 'Tab');
  type('shop.example');
  key('Return');
  await reached('try');
  if (!(await setting(at.admin, 'server.allowed_origins')).includes('https://shop.example')) throw new Error('the address of the shop was not saved');
});

await test('the first visitor is answered in the window', async () => {
  await sleep(3000); // the frame has loaded
  const b = box(win);
  await until('an answer', async () => {
    const { items } = await api(at.admin, '/conversations?limit=5');
    if (items.some((c) => c.last_from === 'ai')) return true;
    if (items.length === 0) {
      click(win, 0.25, 0.752); // the widget's field, in the frame
      type('Do you ship to Norway?');
      key('Return');
      await sleep(2500);
    }
    return false;
  }, 60);
  await sleep(1500);
  shot('wizard-7-answered');
  const area = { x: Math.round(b.x + b.w * 0.6), y: Math.round(b.y + b.h * 0.6), w: Math.round(b.w * 0.4), h: Math.round(b.h * 0.4) };
  await until('the end of the first run', async () => {
    const button = spot(JADE, area);
    clickAt(button.x, button.y);
    await sleep(800);
    return (await setting(at.admin, 'desktop.wizard_done')) === true;
  });
  await sleep(1500);
  shot('wizard-8-overview');
  await set(at.admin, 'desktop.close_to_tray', false);
});

await finish();
