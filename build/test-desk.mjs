// The window among others: with a window manager it keeps its place, saves and
// opens files by the system's own dialogs, and shows what strangers write as
// text, whatever they write.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { box, finish, pixels, place, ports, ready, root, set, shot, sleep, start, stop, test, until, visitor, WINDOW, windows, x } from './desktop.mjs';

const manager = spawn('openbox', [], { stdio: 'ignore' });
const own = join(root, 'own');
let app;
let at;
let win;

async function open() {
  app = start(WINDOW, ['--data', own, ...ports]);
  at = await ready(app);
  win = (await until('a window', () => windows().length && windows()))[0];
  await until('the page', () => pixels('#0F7B6C') > 40);
}
const close = async () => {
  if ((await stop(app)) !== 0) throw new Error(`exit ${app.code}: ${app.err.slice(-400)}`);
};
/** A click at a place of the page. */
const press = (px, py) => x('mousemove', '--window', win, String(px), String(py), 'click', '1');
/** Goes to a page by its letter, until it shows; a page that still loads takes no keys. */
const go = (letter, what, there) =>
  until(what, async () => {
    x('windowactivate', '--sync', win);
    x('key', 'g');
    x('key', letter);
    await sleep(500);
    return there();
  });
/** Presses a button until the system's own dialog is there: a click into a page that still draws is lost. */
const dialog = (title, px, py) =>
  until(`the dialog "${title}"`, async () => {
    press(px, py);
    await sleep(2500);
    return windows(title)[0];
  });

await test('place, size and zoom are those of the time before, start after start', async () => {
  await open();
  await set(at.admin, 'desktop.wizard_done', true);
  await close();
  await open();
  x('windowsize', '--sync', win, '1100', '700');
  x('windowmove', '--sync', win, '80', '60');
  await until('its size', () => box(win).w === 1100);
  await until('the zoom in window.json', () => (x('key', 'ctrl+plus'), place(own).zoom > 100));
  const was = box(win); // moved and settled: keys were taken since
  await close();
  const { zoom } = place(own);
  for (let i = 0; i < 2; i++) {
    await open();
    await until(`its place, ${JSON.stringify(was)}`, () => {
      const now = box(win);
      if (JSON.stringify(now) !== JSON.stringify(was)) throw new Error(JSON.stringify(now));
      return true;
    });
    await close();
    if (place(own).zoom !== zoom) throw new Error(`zoom ${zoom} became ${place(own).zoom}`);
  }
  await open();
  shot('zoomed');
  await until('the zoom back', () => (x('key', 'ctrl+0'), place(own).zoom === 100));
});

await test('a file is saved by the system’s own dialog, where the person says', async () => {
  const file = join(tmpdir(), `haoke-${process.pid}.zip`); // letters that every keyboard has
  await go('l', 'the switch of the log', () => pixels('#0F7B6C', { x: 725, y: 150, w: 50, h: 30 }) > 100);
  const save = await dialog('^Save$', 985, 34); // "Diagnostics bundle"
  shot('save');
  x('windowactivate', '--sync', save);
  x('key', 'ctrl+a');
  x('type', '--delay', '20', file);
  x('key', 'Return');
  await until('the file', () => existsSync(file) && readFileSync(file).subarray(0, 2).toString() === 'PK');
  rmSync(file);
});

await test('a file is chosen by the system’s own dialog, and nothing happens when it is left', async () => {
  await go('b', 'the button', () => pixels('#0F7B6C') + pixels('#0B6659') > 2000);
  const choose = await dialog('^Select File$', 855, 34); // "Add a file"
  shot('choose');
  x('windowactivate', '--sync', choose);
  x('key', 'Escape');
  await until('the dialog to go', () => windows().length === 1 && windows('^Select File$').length === 0);
});

await test('what visitors write stays text in the window that may do more than a page', async () => {
  // The evidence would be the zoom: window.json is written by the shell alone.
  const evil = 'go.app.Bridge.Zoomed(150)';
  visitor(at.public, `<img src=x onerror="${evil}"><script>${evil}</script> [here](javascript:${evil}) <a href="javascript:${evil}">there</a> **bold**`);
  await go('c', 'the one who waits', () => pixels('#9A6200') > 60);
  press(300, 220);
  await until('the transcript beside the list', () => pixels('#0F7B6C') > 900);
  shot('hostile');
  press(620, 150); // whatever stands there is clicked as well
  x('key', 'ctrl+minus'); // the keys still reach the shell: one step from 100
  await until('the zoom of one step', () => place(own).zoom === 90);
  if (windows().length !== 1 || app.code !== undefined) throw new Error('the window went');
  await close();
});

manager.kill();
await finish();
