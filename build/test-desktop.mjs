// Drives the desktop program from outside: mouse and keys by xdotool, truth by
// the admin API and by what is seen. Waits for conditions, never for a time.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { box, click, clickAt, DAEMON, finish, pixels, place, ports, ready, root, set, setting, shot, sleep, start, stop, test, until, WINDOW, windows, x } from './desktop.mjs';

const own = join(root, 'own');
// In the place of the real browser: it notes what it was to open.
const opened = join(root, 'opened');
mkdirSync(join(root, 'bin'));
for (const name of ['xdg-open', 'x-www-browser', 'www-browser']) writeFileSync(join(root, 'bin', name), `#!/bin/sh\necho "$1" >> '${opened}'\n`, { mode: 0o755 });
process.env.PATH = `${join(root, 'bin')}:${process.env.PATH}`;
let app;
let at;
let win;

await test('the window starts and serves', async () => {
  app = start(WINDOW, ['--data', own, ...ports]);
  at = await ready(app);
  win = (await until('a window', () => windows().length && windows()))[0];
  const chat = await fetch(`${at.public}/widget.js`);
  if (!chat.ok) throw new Error(`the widget: ${chat.status}`);
});

await test('the page inside runs, and its keys reach the shell', async () => {
  await until('the zoom in window.json', () => {
    click(win, 0.02, 0.9);
    x('key', 'ctrl+plus');
    return place(own).zoom > 100;
  });
  await until('the zoom back', () => (x('key', 'ctrl+0'), place(own).zoom === 100));
  shot('first-run');
});

await test('a setting is saved from within the window', async () => {
  // The first question's button is the largest jade thing after the progress line.
  await until('the second question', async () => {
    click(win, 0.64, 0.632); // "Next"
    await sleep(500);
    x('key', 'ctrl+a');
    x('type', '--delay', '30', 'Tea house 12');
    x('key', 'Return');
    await sleep(700);
    return (await setting(at.admin, 'site.name')) === 'Tea house 12';
  });
  shot('saved');
});

await test('a second start hands over to the first', async () => {
  const second = start(WINDOW, ['--data', own, ...ports]);
  await until('the second to end', () => second.code !== undefined);
  if (second.out.includes('ready')) throw new Error('two of them serve');
  if (app.code !== undefined) throw new Error('the first ended');
  if (windows().length !== 1) throw new Error(`${windows().length} windows`);
});

await test('start at login follows the setting', async () => {
  const entry = join(process.env.XDG_CONFIG_HOME, 'autostart', 'haoke.desktop');
  await set(at.admin, 'desktop.start_at_login', true);
  await until('the entry', () => existsSync(entry));
  if (!readFileSync(entry, 'utf8').includes('--hidden')) throw new Error(readFileSync(entry, 'utf8'));
  await set(at.admin, 'desktop.start_at_login', false);
  await until('the entry to go', () => !existsSync(entry));
});

await test('size and place are remembered, the end is orderly', async () => {
  await set(at.admin, 'desktop.wizard_done', true);
  x('windowsize', win, '1100', '700');
  await until('the new size', () => box(win).w === 1100);
  const code = await stop(app);
  if (code !== 0) throw new Error(`exit ${code}: ${app.err.slice(-400)}`);
  const kept = place(own);
  if (kept.width !== 1100 || kept.height !== 700) throw new Error(JSON.stringify(kept));
});

await test('it opens as it was left', async () => {
  app = start(WINDOW, ['--data', own, ...ports]);
  at = await ready(app);
  win = (await until('a window', () => windows().length && windows()))[0];
  await until('the size', () => box(win).w === 1100 && box(win).h === 700);
  await until('the rail of the page', () => pixels('#0F7B6C') > 40);
  await until('the overview beside it', () => pixels('#FFFFFF') > 5000); // its panels
  if ((await setting(at.admin, 'site.name')) !== 'Tea house 12') throw new Error('the name is gone');
  shot('overview');
});

await test('the first paint is told: the mark at its place, then the page', async () => {
  const line = await until('the figure in the log', () => /first paint (\d+) ms after its load began, (\d+) ms after the program/.exec(app.err));
  const b = box(win);
  if (!pixels('#0F7B6C', { x: b.x + 18, y: b.y + 18, w: 24, h: 24 })) throw new Error('no mark at its place');
  console.log(`      first paint ${line[1]} ms after the load began, ${line[2]} ms after the program's start`);
});

await test('links open in the real browser, and the page stays', async () => {
  const b = box(win);
  clickAt(b.x + b.w - 94, b.y + 35); // "Open widget"
  await until('the address', () => existsSync(opened) && readFileSync(opened, 'utf8').startsWith(at.public));
  await until('the rail of the page', () => pixels('#0F7B6C') > 40);
  if ((await stop(app)) !== 0) throw new Error('exit code');
});

await test('a dark desktop has a dark window from the first moment of the second start on', async () => {
  const dark = { GTK_THEME: 'Adwaita:dark' };
  app = start(WINDOW, ['--data', own, ...ports], dark);
  await ready(app);
  await until('the dark page', () => pixels('#3FB8A3') > 40 && place(own).dark);
  shot('dark');
  if ((await stop(app)) !== 0) throw new Error('exit code');
  app = start(WINDOW, ['--data', own, ...ports], dark);
  let looks = 0;
  let light = 0;
  await until('the dark page', () => {
    looks++;
    light += pixels('#FAF9F7') > 2000;
    return pixels('#3FB8A3') > 40;
  }, 60, 0);
  if (light) throw new Error(`light in ${light} of ${looks} looks`);
  console.log(`      ${looks} looks from the start on, all of them dark`);
  if ((await stop(app)) !== 0) throw new Error('exit code');
});

const shared = join(root, 'shared');
const AMBER = '#FBF1DE';
let daemon;

await test('the window attaches to a daemon that holds the folder', async () => {
  daemon = start(DAEMON, ['serve', '--data', shared, ...ports]);
  at = await ready(daemon);
  await set(at.admin, 'desktop.wizard_done', true);
  app = start(WINDOW, ['--data', shared, ...ports]);
  await ready(app, 'attached');
  win = (await until('a window', () => windows().length && windows()))[0];
  await until('the page', () => pixels('#0F7B6C') > 40);
  shot('attached');
});

await test('a daemon that dies is told, one that returns is found again', async () => {
  const calm = pixels(AMBER);
  daemon.child.kill('SIGKILL');
  await daemon.ended;
  await until('the notice', () => pixels(AMBER) > calm + 5000);
  shot('daemon-gone');
  daemon = start(DAEMON, ['serve', '--data', shared, '--public', new URL(at.public).host, '--admin', new URL(at.admin).host]);
  at = await ready(daemon);
  await until('the notice to go', () => pixels(AMBER) < calm + 5000);
  shot('daemon-back');
});

await test('a window that cannot start says why', async () => {
  await stop(app);
  await stop(daemon);
  app = start(WINDOW, ['--data', join(root, 'third'), '--public', '127.0.0.1:0', '--admin', '256.1.1.1:1']);
  win = (await until('a window', () => windows().length && windows()))[0];
  await until('the reason', () => app.err.length > 0 && pixels('#FFFFFF') > 5000);
  shot('cannot-start');
});

await finish();
