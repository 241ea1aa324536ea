// What the tests of the desktop program share: processes, mouse and keys by
// xdotool, the screen by ImageMagick, the session bus by gdbus, the admin API.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const TOKEN = 'desktop-test-token-0123456789abcdef';
export const WINDOW = resolve(process.env.WINDOW_UNDER_TEST);
export const DAEMON = resolve(process.env.DAEMON_UNDER_TEST);
export const root = mkdtempSync(join(tmpdir(), 'haoke desktop 好客 '));
export const ports = ['--public', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
const running = new Set();
let passed = 0;
let failed = 0;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits for a condition; what it throws meanwhile is only told at the end. */
export async function until(what, check, seconds = 60, pause = 250) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    try {
      const got = await check();
      if (got) return got;
    } catch (error) {
      last = error;
    }
    await sleep(pause);
  }
  throw new Error(`${what}: not within ${seconds} s${last ? ` (${last.message})` : ''}`);
}

export async function test(name, run) {
  try {
    await run();
    passed++;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed++;
    shot(`failed-${process.pid}-${failed}`);
    console.log(`FAIL  ${name}: ${error.message}`);
  }
}

export function start(program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, HAOKE_ADMIN_TOKEN: TOKEN, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...env } });
  const p = { child, out: '', err: '', code: undefined };
  child.stdout.on('data', (d) => (p.out += d));
  child.stderr.on('data', (d) => (p.err += d));
  running.add(p);
  p.ended = new Promise((done) => child.on('exit', (code, signal) => (running.delete(p), (p.code = code ?? signal), done(p.code))));
  return p;
}

/** Waits for the line that a program prints, and reads the addresses in the last one. */
export async function ready(p, word = 'ready') {
  await until(`the line "${word}"`, () => {
    if (p.code !== undefined) throw new Error(`it ended with ${p.code}: ${p.err.slice(-600)}`);
    return p.out.includes(word);
  });
  const line = p.out.trim().split('\n').at(-1);
  return { public: /public=(\S+)/.exec(line)?.[1], admin: /admin=(\S+)/.exec(line)?.[1] };
}

export async function stop(p) {
  p.child.kill('SIGTERM');
  await until('an orderly end', () => p.code !== undefined, 40);
  return p.code;
}

/** Ends what still runs, says how it went, and leaves. */
export async function finish() {
  for (const p of running) p.child.kill('SIGKILL');
  await Promise.all([...running].map((p) => p.ended));
  try {
    rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  } catch {
    console.log(`left behind: ${root}`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

const quietly = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
export const x = (...args) => execFileSync('xdotool', args, quietly).trim();
export const shot = (name) => execFileSync('import', ['-window', 'root', `build/shots/desktop-${name}.png`]);

export function windows(name = '^Haoke$') {
  try {
    return x('search', '--onlyvisible', '--name', name).split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

export function box(id) {
  const g = Object.fromEntries(x('getwindowgeometry', '--shell', id).split('\n').map((l) => l.split('=')));
  return { x: +g.X, y: +g.Y, w: +g.WIDTH, h: +g.HEIGHT };
}

export const clickAt = (px, py, button = 1) => x('mousemove', String(Math.round(px)), String(Math.round(py)), 'click', String(button));

export function click(id, fx, fy) {
  const b = box(id);
  clickAt(b.x + b.w * fx, b.y + b.h * fy);
}

const only = (colour) => ['-fill', 'black', '+opaque', colour, '-fill', 'white', '-opaque', colour];
const crop = (area) => (area ? ['-crop', `${area.w}x${area.h}+${area.x}+${area.y}`, '+repage'] : []);

/** How many pixels of the screen, or of an area of it, have this colour. */
export function pixels(colour, area) {
  return Number(execFileSync('convert', ['x:root', ...crop(area), ...only(colour), '-format', '%[fx:mean*w*h]', 'info:'], { encoding: 'utf8' }));
}

/** The middle of what has this colour on the screen, or in an area of it. */
export function spot(colour, area) {
  const out = execFileSync('convert', ['x:root', ...crop(area), ...only(colour), '-trim', '-format', '%X %Y %w %h', 'info:'], { encoding: 'utf8' });
  const [left, top, w, h] = out.split(' ').map(Number);
  return { x: (area?.x ?? 0) + left + w / 2, y: (area?.y ?? 0) + top + h / 2, w, h };
}

export async function api(admin, path, init = {}) {
  const r = await fetch(`${admin}/api/admin/v1${path}`, { ...init, headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' } });
  if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`);
  return r.status === 204 ? null : r.json();
}

export const setting = async (admin, path) => (await api(admin, '/settings')).fields.find((f) => f.path === path)?.value;
export const set = (admin, path, value) => api(admin, '/settings', { method: 'PATCH', body: JSON.stringify({ path, value, revision: -1 }) });
export const place = (dir) => JSON.parse(readFileSync(join(dir, 'window.json'), 'utf8'));

/** A call on the session bus, as gdbus prints its answer. */
export const bus = (name, path, method, ...args) => execFileSync('gdbus', ['call', '--session', '--dest', name, '--object-path', path, '--method', method, ...args], quietly);
export const property = (name, path, iface, prop) => bus(name, path, 'org.freedesktop.DBus.Properties.Get', iface, prop);

/** A visitor who asks something and then for a person. Node 20 has no WebSocket. */
export function visitor(address, question) {
  const url = new URL(address);
  const socket = connect(Number(url.port), url.hostname);
  const send = (frame) => {
    const body = Buffer.from(JSON.stringify(frame));
    const mask = randomBytes(4);
    const head = body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0xfe, body.length >> 8, body.length & 255];
    for (let i = 0; i < body.length; i++) body[i] ^= mask[i & 3];
    socket.write(Buffer.concat([Buffer.from(head), mask, body]));
  };
  let text = '';
  let step = 0;
  socket.on('data', (data) => {
    text += data.toString('latin1');
    if (step === 0 && text.includes('\r\n\r\n')) (step = 1), send({ type: 'hello' });
    if (step === 1 && text.includes('"welcome"')) (step = 2), send({ type: 'message', id: randomBytes(4).toString('hex'), text: question });
    if (step === 2 && text.includes('"finish"')) (step = 3), send({ type: 'human' });
  });
  socket.write(`GET /v1/chat HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: haoke.v1\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`);
  return { leave: () => socket.destroy() };
}
