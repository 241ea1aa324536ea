// @vitest-environment jsdom
import './setup';
import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeyRing, Wizard as WizardState } from '../../src/api/types';
import { i18n } from '../../src/i18n/index.svelte';
import { app } from '../../src/lib/app.svelte';
import * as router from '../../src/lib/router.svelte';
import Wizard from '../../src/pages/Wizard.svelte';
import { happen, refuse, serve, session, signIn, status, type Call } from './api';

const reload = vi.hoisted(() => vi.fn());
vi.mock('../../src/lib/router.svelte', async (original) => ({ ...(await original<typeof router>()), reload }));

const widget = { look: { title: 'Tea house' }, revision: 1, locked: [], share_url: 'http://127.0.0.1:8787', public_url: 'http://127.0.0.1:8787', reachable: false, chat_url: 'http://127.0.0.1:8787/chat?site=default', snippets: [{ kind: 'html', code: '<script src="http://127.0.0.1:8787/widget.js"></script>' }], origins: ['*'], warnings: [] };
const field = (path: string, value: unknown, part = {}) => ({ path, value, locked: false, label: { en: path, zh: path }, help: { en: '', zh: '' }, revision: 0, source: 'default', ...part });
const test = (ok: boolean) => ({ ok, status: ok ? 200 : 401, fault: ok ? '' : 'auth', text: '', models: [], steps: [], first_token_ms: 640, total_ms: 700, model: 'gpt-4o-mini' });

/** An appliance at its first start, which remembers what it is told. */
function fresh(step = 'language', part: Record<string, unknown> = {}) {
  const kept = { step, done: false, base: '', keys: [] as string[] };
  const ring = (): KeyRing => ({ providers: [{ name: 'main', preset: '', base_url: kept.base, model: '', models: {}, enabled: true, keys: kept.keys.map((name) => ({ name })), locked: [], state: 'ok' }], queue: {} }) as unknown as KeyRing;
  const api = serve({
    'GET /wizard': () => ({ step: kept.step, done: kept.done, visited: [], first_answer: false }) as unknown as WizardState,
    'PUT /wizard': ({ body }: Call) => Object.assign(kept, body),
    'GET /providers/presets': { items: [{ id: 'openai', name: 'OpenAI', base_url: 'https://api.openai.com/v1', models: ['gpt-4o-mini'], keys_url: '', need_key: true, region: 'global' }] },
    'GET /keys': () => ring(),
    'GET /widget': widget,
    'GET /status': status(),
    'GET /settings': { revision: 1, restart: [], groups: [], fields: [field('site.name', 'Demo shop'), field('server.public_addr', '127.0.0.1:8787'), field('server.public_url', '')] },
    'PUT /settings': { revision: 2, fields: [], previous: {}, restart: [], warnings: [] },
    'PUT /providers/main': ({ body }: Call) => ((kept.base = (body as { base_url: string }).base_url), ring().providers[0]),
    'POST /keys': () => (kept.keys.push('main'), { name: 'main' }),
    'POST /keys/test': test(true),
    'POST /settings/addr': { free: true, ours: true },
    ...part,
  });
  return { api, kept };
}
const next = () => fireEvent.submit(document.querySelector('form')!);
const title = () => screen.getByRole('heading', { level: 1 }).textContent;

beforeEach(() => {
  signIn();
  app.session = session({ wizard_done: false, site_name: 'Demo shop' });
  i18n.set('en');
  reload.mockClear();
  location.hash = '#/wizard';
});

describe('the first run', () => {
  it('asks one thing after another, and remembers where it is', async () => {
    const { api, kept } = fresh();
    render(Wizard);
    expect(await screen.findByText('1 of 7')).toBeTruthy();
    await fireEvent.click(await screen.findByText('简体中文'));
    expect(title()).toBe('这个窗口用哪种语言？');
    await fireEvent.click(screen.getByText('English'));
    await next();
    await waitFor(() => expect(title()).toBe('What is the shop called?'));
    await fireEvent.input(screen.getByLabelText('Name of the shop'), { target: { value: ' Morning Hill ' } });
    await next();
    await waitFor(() => expect(title()).toBe('Who writes the answers?'));
    expect(api.of('PUT /settings')[0]!.body).toEqual({ revision: 0, values: { 'site.name': 'Morning Hill' } });
    expect(kept.step).toBe('provider');
    await fireEvent.click(screen.getByText('Back'));
    expect((screen.getByLabelText('Name of the shop') as HTMLInputElement).value).toBe(' Morning Hill ');
  });
  it('begins where it was left', async () => {
    fresh('embed');
    render(Wizard);
    expect(await screen.findByText('Put it on your pages')).toBeTruthy();
  });
  it('can be put off, and says nothing more until the page is opened again', async () => {
    const { api } = fresh();
    render(Wizard);
    await fireEvent.click(await screen.findByText('Finish later'));
    expect([app.later, app.session?.wizard_done, location.hash]).toEqual([true, false, '#/overview']);
    expect(api.of('PUT /wizard')).toHaveLength(0);
  });
  it('says why it cannot begin, and tries again', async () => {
    const { api } = fresh('language', { 'GET /wizard': new TypeError('Failed to fetch') });
    render(Wizard);
    expect((await screen.findByRole('alert')).textContent).toContain('The appliance does not answer.');
    api.answers['GET /wizard'] = { step: 'language', done: false, visited: [] };
    await fireEvent.click(screen.getByText('Try again'));
    expect(await screen.findByText('1 of 7')).toBeTruthy();
  });
});

describe('its provider', () => {
  const typed = async (value: string) => {
    await fireEvent.input(await screen.findByLabelText('Key'), { target: { value } });
  };
  it('is tested before it is saved, and the key is added once', async () => {
    const { api, kept } = fresh('provider');
    render(Wizard);
    await typed('sk-good-key-1234');
    await next();
    await waitFor(() => expect(title()).toBe('How does the widget greet?'));
    expect(api.calls.map((c) => `${c.method} ${c.path}`).filter((c) => /POST \/keys|PUT \/prov/.test(c))).toEqual(['POST /keys/test', 'PUT /providers/main', 'POST /keys']);
    await fireEvent.click(screen.getByText('Back'));
    await waitFor(() => expect(title()).toBe('Who writes the answers?'));
    await next();
    await waitFor(() => expect(title()).toBe('How does the widget greet?'));
    expect(kept.keys).toEqual(['main']);
  });
  it('does not go on with a refused key, unless told to', async () => {
    const { api, kept } = fresh('provider', { 'POST /keys/test': test(false) });
    render(Wizard);
    await typed('sk-wrong-key');
    await next();
    expect(await screen.findByText('The key was refused (401).', { exact: false })).toBeTruthy();
    expect(title()).toBe('Who writes the answers?');
    expect(api.of('POST /keys')).toHaveLength(0);
    await screen.findByText('Use it anyway');
    await next();
    await waitFor(() => expect(title()).toBe('How does the widget greet?'));
    expect(kept.keys).toEqual(['main']);
  });
  it('can be left out', async () => {
    const { api } = fresh('provider');
    render(Wizard);
    await fireEvent.click(await screen.findByText('Try without a key'));
    await waitFor(() => expect(title()).toBe('How does the widget greet?'));
    expect(api.of('PUT /providers/main')).toHaveLength(0);
  });
});

describe('its port', () => {
  it('can be skipped without being changed', async () => {
    const { api } = fresh('port', { 'POST /settings/addr': { free: true, ours: false } });
    render(Wizard);
    await fireEvent.input(await screen.findByLabelText('server.public_addr'), { target: { value: '127.0.0.1:9001' } });
    await fireEvent.click(screen.getByText('Skip'));
    await waitFor(() => expect(title()).toBe('Put it on your pages'));
    expect(api.of('PUT /settings')).toHaveLength(0);
  });
  it('says who has the port and offers another', async () => {
    const { api } = fresh('port', { 'POST /settings/addr': ({ body }: Call) => ((body as { addr: string }).addr.endsWith(':9000') ? { free: false, ours: false, by: 'nginx (process 812)', suggest: '127.0.0.1:9001' } : { free: true, ours: false }) });
    render(Wizard);
    const input = await screen.findByLabelText('server.public_addr');
    await fireEvent.input(input, { target: { value: '127.0.0.1:9000' } });
    expect(await screen.findByText('127.0.0.1:9000 is taken by nginx (process 812).')).toBeTruthy();
    await fireEvent.click(screen.getByText('Use 127.0.0.1:9001'));
    expect(await screen.findByText('127.0.0.1:9001 is free.')).toBeTruthy();
    expect(api.of('PUT /settings')).toHaveLength(0);
  });
  it('moves at once, and the page is loaded anew so that it may frame the new address', async () => {
    const { api, kept } = fresh('port', { 'POST /settings/addr': { free: true, ours: false } });
    render(Wizard);
    await fireEvent.input(await screen.findByLabelText('server.public_addr'), { target: { value: '127.0.0.1:9001' } });
    api.answers['GET /widget'] = { ...widget, public_url: 'http://127.0.0.1:9001' };
    await next();
    await waitFor(() => expect(reload).toHaveBeenCalledTimes(1));
    expect(api.of('PUT /settings')[0]!.body).toEqual({ revision: 0, values: { 'server.public_addr': '127.0.0.1:9001' } });
    expect(kept.step).toBe('embed');
  });
  it('stays when the appliance could not move', async () => {
    const { api } = fresh('port', { 'POST /settings/addr': { free: true, ours: false } });
    render(Wizard);
    await fireEvent.input(await screen.findByLabelText('server.public_addr'), { target: { value: '127.0.0.1:9001' } });
    api.answers['GET /status'] = status({ problems: [{ code: 'addr_unused', level: 'warn', text: '', args: { addr: '127.0.0.1:9001', now: 'http://127.0.0.1:8787' }, page: '' }] as never });
    await next();
    expect((await screen.findByRole('alert')).textContent).toBe('Visitors are served at http://127.0.0.1:8787: 127.0.0.1:9001 cannot be used.');
    expect(title()).toBe('Where do visitors reach it?');
    expect(reload).not.toHaveBeenCalled();
  });
});

describe('its end', () => {
  it('takes a pasted page for the shop’s address, and refuses nonsense', async () => {
    const { api } = fresh('embed');
    render(Wizard);
    const input = await screen.findByLabelText(/Address of the shop/);
    await fireEvent.input(input, { target: { value: 'not an address' } });
    await next();
    expect((await screen.findAllByRole('alert'))[0]!.textContent).toBe('Write an address such as https://chat.shop.example.');
    await fireEvent.input(input, { target: { value: 'shop.example/tea?utm=1' } });
    await next();
    await waitFor(() => expect(title()).toBe('Ask as a visitor'));
    expect(api.of('PUT /settings')[0]!.body).toEqual({ revision: 0, values: { 'server.allowed_origins': ['https://shop.example'] } });
  });
  it('shows the first visitor being answered, and opens the overview', async () => {
    const { kept } = fresh('try');
    render(Wizard);
    expect(await screen.findByText('Waiting for the first question')).toBeTruthy();
    happen({ type: 'message', id: 'c1', message: { seq: 1, from: 'visitor', text: 'Do you have <b>tea</b>?', at: '' } });
    happen({ type: 'message', id: 'other', message: { seq: 1, from: 'visitor', text: 'somebody else', at: '' } });
    happen({ type: 'message', id: 'c1', message: { seq: 2, from: 'ai', text: 'Yes.', at: '' } });
    expect(await screen.findByText('A visitor has been answered. All is set.')).toBeTruthy();
    expect(screen.getByText('Do you have <b>tea</b>?')).toBeTruthy(); // as text
    expect(screen.queryByText('somebody else')).toBeNull();
    await next();
    await waitFor(() => expect([kept.done, location.hash]).toEqual([true, '#/overview']));
  });
  it('cannot be saved by an operator', async () => {
    fresh('shop', { 'PUT /settings': refuse(403, 'haoke:forbidden') });
    render(Wizard);
    await screen.findByLabelText('Name of the shop');
    await next();
    expect((await screen.findByRole('alert')).textContent).toBe('Only an owner may do this.');
  });
});
