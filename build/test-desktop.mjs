// Drives the desktop program from outside: mouse and keys by xdotool, truth by
// the admin API and by what is seen. Waits for conditions, never for a time.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const TOKEN = 'desktop-test-token-0123456789abcdef';
const WINDOW = resolve(process.env.WINDOW_UNDER_TEST);
const DAEMON = resolve(process.env.DAEMON_UNDER_TEST);
const root = mkdtempSync(join(tmpdir(), 'haoke desktop 好客 '));
const running = new Set();
let passed = 0;
let failed = 0;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(what, check, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    try {
      const got = await check();
      if (got) return got;
    } catch (error) {
      last = error;
    }
    await sleep(250);
  }
  throw new Error(`${what}: not within ${seconds} s${last ? ` (${last.message})` : ''}`);
}

async function test(name, run) {
  try {
    await run();
    passed++;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed++;
    shot(`failed-${failed}`);
    console.log(`FAIL  ${name}: ${error.message}`);
  }
}

function start(program, args) {
  const child = spawn(program, args, { env: { ...process.env, HAOKE_ADMIN_TOKEN: TOKEN, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' } });
  const p = { child, out: '', err: '', code: undefined };
  child.stdout.on('data', (d) => (p.out += d));
  child.stderr.on('data', (d) => (p.err += d));
  running.add(p);
  p.ended = new Promise((done) => child.on('exit', (code, signal) => (running.delete(p), (p.code = code ?? signal), done(p.code))));
  return p;
}

async function ready(p, word = 'ready') {
  await until(`the line "${word}"`, () => {
    if (p.code !== undefined) throw new Error(`it ended with ${p.code}: ${p.err.slice(-600)}`);
    return p.out.includes(word);
  });
  return { public: /public=(\S+)/.exec(p.out)?.[1], admin: /admin=(\S+)/.exec(p.out)?.[1] };
}

async function stop(p) {
  p.child.kill('SIGTERM');
  await until('an orderly end', () => p.code !== undefined, 40);
  return p.code;
}

const x = (...args) => execFileSync('xdotool', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
const shot = (name) => execFileSync('import', ['-window', 'root', `build/shots/desktop-${name}.png`]);

function windows() {
  try {
    return x('search', '--onlyvisible', '--name', '^Haoke$').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

function box(id) {
  const g = Object.fromEntries(x('getwindowgeometry', '--shell', id).split('\n').map((l) => l.split('=')));
  return { x: +g.X, y: +g.Y, w: +g.WIDTH, h: +g.HEIGHT };
}

function click(id, fx, fy) {
  const b = box(id);
  x('mousemove', String(Math.round(b.x + b.w * fx)), String(Math.round(b.y + b.h * fy)), 'click', '1');
}

/** How many pixels of the screen have this colour. */
function pixels(colour) {
  const out = execFileSync('convert', ['x:root', '-fill', 'black', '+opaque', colour, '-fill', 'white', '-opaque', colour, '-format', '%[fx:mean*w*h]', 'info:'], { encoding: 'utf8' });
  return Number(out);
}

/** Where on the screen this colour lies: the middle of its box. */
function spot(colour) {
  const out = execFileSync('convert', ['x:root', '-fill', 'black', '+opaque', colour, '-fill', 'white', '-opaque', colour, '-trim', '-format', '%X %Y %w %h', 'info:'], { encoding: 'utf8' });
  const [left, top, w, h] = out.split(' ').map(Number);
  return { x: left + w / 2, y: top + h / 2, w, h };
}

async function api(admin, path, init = {}) {
  const r = await fetch(`${admin}/api/admin/v1${path}`, { ...init, headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' } });
  if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`);
  return r.json();
}

const setting = async (admin, path) => (await api(admin, '/settings')).fields.find((f) => f.path === path)?.value;
const place = (dir) => JSON.parse(readFileSync(join(dir, 'window.json'), 'utf8'));

const own = join(root, 'own');
const ports = ['--public', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
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
  await api(at.admin, '/settings', { method: 'PATCH', body: JSON.stringify({ path: 'desktop.start_at_login', value: true, revision: -1 }) });
  await until('the entry', () => existsSync(entry));
  if (!readFileSync(entry, 'utf8').includes('--hidden')) throw new Error(readFileSync(entry, 'utf8'));
  await api(at.admin, '/settings', { method: 'PATCH', body: JSON.stringify({ path: 'desktop.start_at_login', value: false, revision: -1 }) });
  await until('the entry to go', () => !existsSync(entry));
});

await test('size and place are remembered, the end is orderly', async () => {
  await api(at.admin, '/settings', { method: 'PUT', body: JSON.stringify({ values: { 'desktop.wizard_done': true } }) });
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
  if ((await stop(app)) !== 0) throw new Error('exit code');
});

const shared = join(root, 'shared');
const AMBER = '#FBF1DE';
let daemon;

await test('the window attaches to a daemon that holds the folder', async () => {
  daemon = start(DAEMON, ['serve', '--data', shared, ...ports]);
  at = await ready(daemon);
  await api(at.admin, '/settings', { method: 'PUT', body: JSON.stringify({ values: { 'desktop.wizard_done': true } }) });
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

for (const p of running) p.child.kill('SIGKILL');
await Promise.all([...running].map((p) => p.ended));
try {
  rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
} catch {
  console.log(`left behind: ${root}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
