// The tray and the notifications, seen: a real panel, a real notification
// daemon and a window manager on the virtual display. Clicks go to what is on
// the screen; what the icon says is also read from the session bus.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { api, box, bus, clickAt, DAEMON, finish, pixels, place, ports, property, ready, root, set, shot, sleep, spot, start, stop, test, until, visitor, WINDOW, windows, x } from './desktop.mjs';

const config = process.env.XDG_CONFIG_HOME;
const JADE = '#0F7B6C';
const SCREEN = { w: 1400, h: 900 };
// The panel lies along the lower edge; the icon is left of its clock.
const PANEL = { x: 0, y: SCREEN.h - 31, ...{ w: SCREEN.w, h: 31 } };
const CORNER = { x: SCREEN.w - 160, y: PANEL.y, w: 100, h: PANEL.h };

const quiet = { stdio: 'ignore' };
let panel;
const startPanel = () => (panel = spawn('xfce4-panel', [], { ...quiet, env: { ...process.env, GTK_THEME: 'Adwaita' } }));
const owned = (name) => bus('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus.NameHasOwner', name).includes('true');
const WATCHER = 'org.kde.StatusNotifierWatcher';

function writeConfig() {
  const dir = join(config, 'xfce4', 'xfconf', 'xfce-perchannel-xml');
  mkdirSync(dir, { recursive: true });
  const plugin = (n, name, inside = '') => `<property name="plugin-${n}" type="string" value="${name}">${inside}</property>`;
  writeFileSync(join(dir, 'xfce4-panel.xml'), `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0"><property name="configver" type="int" value="2"/>
<property name="panels" type="array"><value type="int" value="1"/><property name="panel-1" type="empty">
<property name="position" type="string" value="p=8;x=700;y=885"/><property name="length" type="uint" value="100"/><property name="position-locked" type="bool" value="true"/>
<property name="size" type="uint" value="30"/><property name="plugin-ids" type="array"><value type="int" value="1"/><value type="int" value="2"/><value type="int" value="3"/></property></property></property>
<property name="plugins" type="empty">${plugin(1, 'separator', '<property name="expand" type="bool" value="true"/><property name="style" type="uint" value="0"/>')}${plugin(2, 'systray', '<property name="square-icons" type="bool" value="true"/>')}${plugin(3, 'clock')}</property></channel>`);
  mkdirSync(join(config, 'dunst'), { recursive: true });
  // A click on a notification does what it offers, as on other desktops.
  writeFileSync(join(config, 'dunst', 'dunstrc'), '[global]\n  monitor = 0\n  mouse_left_click = do_action, close_current\n  frame_width = 2\n  font = Noto Sans CJK SC 10\n[urgency_normal]\n  background = "#123456"\n  foreground = "#ffffff"\n  timeout = 60\n');
}

writeConfig();
const others = [spawn('openbox', [], quiet), spawn('dunst', [], quiet)];
startPanel();
await until('a place for tray icons', () => owned(WATCHER));
await until('somebody who shows notifications', () => owned('org.freedesktop.Notifications'));

const own = join(root, 'own');
let app;
let at;
const item = () => `org.kde.StatusNotifierItem-${app.child.pid}-1`;
const tip = () => property(item(), '/StatusNotifierItem', 'org.kde.StatusNotifierItem', 'ToolTip');
const says = (what, words) => until(what, () => tip().includes(words));
const icon = () => spot(JADE, CORNER);
const iconShown = () => until('the icon in the panel', () => pixels(JADE, CORNER) > 60);
const history = () => JSON.parse(execFileSync('dunstctl', ['history'], { encoding: 'utf8' })).data[0];
const shown = () => Number(execFileSync('dunstctl', ['count', 'displayed'], { encoding: 'utf8' }));
const hidden = () => until('the window to hide', () => windows().length === 0);
const visible = () => until('the window', () => windows().length === 1);
const close = async () => {
  x('windowactivate', '--sync', windows()[0]);
  x('key', 'alt+F4');
};

/** Opens the icon's menu and takes the n-th entry that can be chosen. */
async function menu(n, name) {
  const i = icon();
  clickAt(i.x, i.y, 3);
  await sleep(900); // the menu asks the program for its entries
  if (name) shot(name);
  for (let k = 0; k < n; k++) x('key', 'Down');
  x('key', 'Return');
  await sleep(300);
}
const [OPEN, , PAUSE, LOGIN, QUIT] = [1, 2, 3, 4, 5];

await test('the icon is in the panel and says that all is well', async () => {
  app = start(WINDOW, ['--data', own, ...ports]);
  at = await ready(app);
  await set(at.admin, 'desktop.wizard_done', true);
  await visible();
  await iconShown();
  await says('the tip', 'Serving visitors');
  shot('tray-ok');
});

await test('a visitor who waits makes a notification, a number and a way to the conversation', async () => {
  const v = visitor(at.public, 'Can I talk to a person?');
  await says('the number in the tip', '1 waiting');
  await until('the number on the icon', () => pixels('#B45F06', CORNER) > 20);
  await until('the notification', () => shown() === 1 && pixels('#123456') > 3000);
  shot('tray-waiting');
  const s = spot('#123456');
  clickAt(s.x, s.y);
  await until('the notification to go', () => shown() === 0);
  const n = history()[0];
  if (n.summary.data !== 'A visitor is waiting') throw new Error(JSON.stringify(n.summary));
  const one = (await api(at.admin, '/conversations?limit=1')).items[0];
  await until('the conversation to be read in the window', async () => (await api(at.admin, `/conversations/${one.id}`)).conversation.unread === 0);
  shot('tray-conversation');
  await api(at.admin, `/conversations/${one.id}/mode`, { method: 'POST', body: JSON.stringify({ mode: 'ai' }) });
  await until('the number to go', () => !tip().includes('waiting'));
  v.leave();
});

let left; // where the window was
await test('the first close explains the tray, and service goes on', async () => {
  left = box(windows()[0]);
  await close();
  await until('the explanation', () => windows('.*').length > 0 && pixels(JADE, CORNER) > 60 && place(own).tray_explained);
  await sleep(700);
  shot('tray-first-close');
  x('key', 'Return'); // a key too many keeps it running
  await hidden();
  if (!(await fetch(`${at.public}/healthz`)).ok) throw new Error('it does not serve');
  await iconShown();
  shot('tray-hidden');
});

await test('a click on the icon brings the window back; the next close asks nothing', async () => {
  const i = icon();
  clickAt(i.x, i.y);
  await visible();
  await until('its old place', () => Math.abs(box(windows()[0]).x - left.x) < 3 && Math.abs(box(windows()[0]).y - left.y) < 3, 10);
  await close();
  await hidden();
  await menu(OPEN, 'tray-menu');
  await visible();
  await close();
  await hidden();
});

await test('a second start shows the hidden window', async () => {
  const second = start(WINDOW, ['--data', own, ...ports]);
  await until('the second to end', () => second.code !== undefined);
  await visible();
});

await test('the menu pauses and resumes, and starts at login', async () => {
  await menu(PAUSE);
  await until('the pause', async () => (await api(at.admin, '/status')).state === 'paused');
  await says('the tip', 'Paused');
  shot('tray-paused');
  await menu(PAUSE, 'tray-menu-paused');
  await until('the end of the pause', async () => (await api(at.admin, '/status')).state !== 'paused');
  const entry = join(config, 'autostart', 'haoke.desktop');
  await menu(LOGIN);
  await until('the entry', () => existsSync(entry));
  await menu(LOGIN);
  await until('the entry to go', () => !existsSync(entry));
});

await test('the icon tells of something that needs the owner', async () => {
  await set(at.admin, 'server.allowed_origins', ['*']);
  await says('the tip', 'something needs you');
  await until('the amber dot', () => pixels('#E0A33A', CORNER) > 4);
  shot('tray-degraded');
});

await test('the tray speaks the language that is set', async () => {
  await api(at.admin, '/settings', { method: 'PATCH', body: JSON.stringify({ path: 'desktop.language', value: 'zh-CN', revision: -1 }) });
  await says('the tip', '服务中');
  const v = visitor(at.public, '你好');
  await until('the notification', () => pixels('#123456') > 3000);
  shot('tray-chinese');
  v.leave();
  execFileSync('dunstctl', ['close-all']);
});

await test('where the panel goes, the hidden window comes back; where it returns, the icon does', async () => {
  await close();
  await hidden();
  panel.kill('SIGKILL');
  await until('the place to go', () => !owned(WATCHER));
  await visible();
  startPanel();
  await until('the place', () => owned(WATCHER));
  await iconShown();
});

await test('"Quit" ends it in order', async () => {
  await menu(QUIT);
  await until('the end', () => app.code !== undefined, 40);
  if (app.code !== 0) throw new Error(`exit ${app.code}: ${app.err.slice(-400)}`);
});

await test('started hidden before there is a panel, it waits for one', async () => {
  panel.kill('SIGKILL');
  await until('the place to go', () => !owned(WATCHER));
  app = start(WINDOW, ['--hidden', '--data', own, ...ports]);
  at = await ready(app);
  await sleep(3000);
  if (windows().length) throw new Error('the window is there at once');
  startPanel();
  await iconShown();
  if (windows().length) throw new Error('the window came although the icon is there');
  if ((await stop(app)) !== 0) throw new Error('exit code');
});

await test('a service that dies turns the icon to stopped', async () => {
  const shared = join(root, 'shared');
  const daemon = start(DAEMON, ['serve', '--data', shared, ...ports]);
  at = await ready(daemon);
  app = start(WINDOW, ['--hidden', '--data', shared, ...ports]);
  await ready(app, 'attached');
  await iconShown();
  daemon.child.kill('SIGKILL');
  await says('the tip', 'Not serving');
  await until('the red dot', () => pixels('#D03B32', CORNER) > 4);
  shot('tray-stopped');
  await stop(app);
});

await test('started hidden and unable to start, it shows why', async () => {
  app = start(WINDOW, ['--hidden', '--data', join(root, 'third'), '--public', '127.0.0.1:0', '--admin', '256.1.1.1:1']);
  await visible();
  await until('the reason', () => pixels('#FFFFFF') > 5000);
  await stop(app);
});

for (const p of [...others, panel]) p.kill('SIGKILL');
await finish();
