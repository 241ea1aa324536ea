// An update of the real window by its own button: the makers' server, their key
// and two versions of the program, one of which is running.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, createReadStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { api, clickAt, finish, pixels, ports, ready, root, set, shot, sleep, spot, start, test, until, WINDOW, windows } from './desktop.mjs';

const NEXT = process.env.NEXT_UNDER_TEST;
const KEY = process.env.RELEASE_KEY_UNDER_TEST;
const MANIFEST = process.env.MANIFEST_TOOL;
const JADE = '#0F7B6C';
// The window reads its settings anew every 10 s and looks at the status every 2 s.
const FOLLOWS = 13_000;
// Right of the rail the button is the only thing of that colour.
const AREA = { x: 330, y: 160, w: 980, h: 690 };
const shelf = join(root, 'shelf');
const files = createServer((request, response) => {
  const file = join(shelf, request.url.slice(1));
  if (!existsSync(file)) return response.writeHead(404).end();
  createReadStream(file).pipe(response);
});
await new Promise((done) => files.listen(0, '127.0.0.1', done));

/** Puts a program on the makers' shelf with a signed notice. */
function publish(program, version, issued) {
  const stage = join(root, `stage-${version}`, `haoke-${version}`);
  mkdirSync(stage, { recursive: true });
  mkdirSync(shelf, { recursive: true });
  copyFileSync(program, join(stage, 'haoke'));
  const out = join(root, `out-${version}`);
  mkdirSync(out);
  execFileSync('tar', ['-C', join(stage, '..'), '-czf', join(out, `haoke-${version}-linux-${process.arch === 'arm64' ? 'arm64' : 'amd64'}.tar.gz`), `haoke-${version}`]);
  const notes = join(root, 'notes');
  writeFileSync(notes, `What is new in ${version}:\nAnswers come faster.\n`);
  execFileSync(MANIFEST, ['make', '--key', KEY, '--version', version, '--dir', out, '--notes', notes, '--issued', issued, '--out', join(shelf, 'latest.json')]);
  execFileSync('sh', ['-c', `cp '${out}'/*.tar.gz '${shelf}'`]);
}

mkdirSync(join(process.env.XDG_CONFIG_HOME, 'dunst'), { recursive: true });
writeFileSync(join(process.env.XDG_CONFIG_HOME, 'dunst', 'dunstrc'), '[global]\n  mouse_left_click = do_action, close_current\n  frame_width = 2\n  font = Noto Sans CJK SC 10\n[urgency_normal]\n  background = "#123456"\n  foreground = "#ffffff"\n  timeout = 60\n');
const others = ['openbox', 'dunst'].map((name) => spawn(name, [], { stdio: 'ignore' }));
const exe = join(root, 'opt', 'haoke');
mkdirSync(join(root, 'opt'));
copyFileSync(WINDOW, exe);
const own = join(root, 'own');
const env = { HAOKE_UPDATES_MANIFEST: `http://127.0.0.1:${files.address().port}/latest.json` };
let app;
let at;
let silent; // since when nothing is to be told
/** What was told by a notification, on the screen or before. */
function told() {
  execFileSync('dunstctl', ['close-all']);
  return JSON.parse(execFileSync('dunstctl', ['history'])).data[0].map((n) => n.summary.data);
}

await test('a newer version is told of by a notification, which leads to the page', async () => {
  publish(NEXT, '0.2.0', '2026-01-01T00:00:00Z');
  app = start(exe, ['--data', own, ...ports], env);
  at = await ready(app);
  await set(at.admin, 'desktop.wizard_done', true);
  await until('a window', () => windows().length === 1);
  const found = await api(at.admin, '/updates/check', { method: 'POST' });
  if (found.latest !== '0.2.0' || !found.can_apply) throw new Error(JSON.stringify(found));
  await until('the notification', () => pixels('#123456') > 3000);
  shot('update-notification');
  const s = spot('#123456');
  clickAt(s.x, s.y);
  await until('the button', () => pixels(JADE, AREA) > 1500);
  shot('update-offered');
});

await test('one click installs it: the same process, the new version, a backup, the old program kept', async () => {
  await sleep(500);
  const b = spot(JADE, AREA);
  clickAt(b.x, b.y);
  await until('the work to begin', async () => app.out.split('ready').length > 2 || (await api(at.admin, '/updates')).stage);
  shot('update-going');
  await until('the second start', () => app.out.split('ready').length === 3, 120);
  at = await ready(app);
  const u = await api(at.admin, '/updates');
  if (u.current !== '0.2.0' || !u.last?.ok) throw new Error(JSON.stringify(u));
  if (JSON.parse(readFileSync(join(own, 'runtime.json'), 'utf8')).pid !== app.child.pid) throw new Error('another process');
  if (!existsSync(`${exe}.previous`)) throw new Error('the previous version is not kept');
  if ((await api(at.admin, '/backups')).items.length !== 1) throw new Error('no backup');
  await until('the window', () => windows().length === 1);
  await until('its page', () => pixels(JADE) > 40);
  await sleep(1000);
  shot('update-done');
});

await test('a version that does not start changes nothing, and the page says why', async () => {
  await set(at.admin, 'desktop.notifications', false);
  silent = Date.now();
  const broken = join(root, 'broken');
  writeFileSync(broken, '#!/bin/sh\n[ "$1" = --version ] && { echo haoke 0.3.0; exit 0; }\necho "open store: this build is broken" >&2\nexit 1\n', { mode: 0o755 });
  publish(broken, '0.3.0', '2026-02-01T00:00:00Z');
  await api(at.admin, '/updates/check', { method: 'POST' });
  await api(at.admin, '/updates/apply', { method: 'POST' });
  const u = await until('the outcome', async () => {
    const now = await api(at.admin, '/updates');
    return now.apply_fault && now;
  });
  if (!u.apply_fault.includes('this build is broken') || u.current !== '0.2.0') throw new Error(JSON.stringify(u));
});

await test('a version that dies after its trial: the one of before opens its window again and says so', async () => {
  // This one comes while nothing is told, so that it could be told of later.
  await sleep(Math.max(0, silent + FOLLOWS - Date.now()));
  const dying = join(root, 'dying');
  writeFileSync(dying, `#!/bin/sh\n[ "$1" = --version ] && { echo haoke 0.4.0; exit 0; }\ncase " $* " in *' --trial '*) exec '${NEXT}' "$@" ;; esac\nkill -SEGV $$\n`, { mode: 0o755 });
  publish(dying, '0.4.0', '2026-03-01T00:00:00Z');
  await api(at.admin, '/updates/check', { method: 'POST' });
  await api(at.admin, '/updates/apply', { method: 'POST' });
  const running = () => JSON.parse(readFileSync(join(own, 'runtime.json'), 'utf8'));
  const before = running().pid;
  const u = await until('the version of before', async () => {
    try {
      const now = running().pid !== before && (await api(running().admin, '/updates'));
      return now?.last?.to === '0.4.0' && now;
    } catch {
      return false; // between two programs
    }
  }, 120);
  if (u.current !== '0.2.0' || u.last.ok || !u.last.fault) throw new Error(JSON.stringify(u));
  if (existsSync(`${exe}.next`)) throw new Error('the version that died is left');
  await until('its window', () => windows().length === 1);
  await sleep(1500);
  shot('update-went-back');
  at = running();
  const again = await api(at.admin, '/updates/check', { method: 'POST' });
  if (again.latest !== '0.4.0') throw new Error(JSON.stringify(again));
  const codes = (await api(at.admin, '/status')).problems.map((p) => p.code);
  if (codes.includes('update') || !codes.includes('update_failed')) throw new Error(`told of ${codes}`);
  await set(at.admin, 'desktop.notifications', true);
  await sleep(FOLLOWS);
  const notes = told();
  if (notes.filter((n) => n.includes('0.2.0')).length !== 1 || notes.some((n) => n.includes('0.4.0'))) throw new Error(`notifications: ${notes}`);
  process.kill(running().pid, 'SIGTERM');
  await until('its end', () => !existsSync(join(own, 'runtime.json')));
});

for (const p of others) p.kill('SIGKILL');
files.close();
await finish();
