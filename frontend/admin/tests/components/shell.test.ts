// @vitest-environment jsdom
import './setup';
import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { createRawSnippet, type Component } from 'svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import App from '../../src/App.svelte';
import { i18n } from '../../src/i18n/index.svelte';
import { app } from '../../src/lib/app.svelte';
import * as routerModule from '../../src/lib/router.svelte';
import Empty from '../../src/ui/Empty.svelte';
import Dialog from '../../src/ui/Dialog.svelte';
import { overlays } from '../../src/ui/overlays.svelte';
import Palette from '../../src/ui/Palette.svelte';
import { happen, refuse, serve, session, signIn, status, type Call } from './api';

const reload = vi.hoisted(() => vi.fn());
vi.mock('../../src/lib/router.svelte', async (original) => ({ ...(await original<typeof routerModule>()), reload }));
const { router } = routerModule;

const page = (text: string) => ({ default: ((anchor: never, props: object) => (Empty as unknown as (a: never, p: object) => unknown)(anchor, { ...props, text })) as unknown as Component });
const pages = () => ({ overview: vi.fn(async () => page('the overview')), keys: vi.fn(async () => page('the keys')) });

beforeEach(() => {
  localStorage.clear();
  i18n.set('en');
  app.session = null;
  app.status = null;
  app.expired = false;
  app.later = false;
  app.reachable = true;
  overlays.close();
  reload.mockClear();
  history.replaceState(null, '', '#/overview');
  router.place = { page: 'overview', rest: [] };
  vi.spyOn(app.events, 'start').mockImplementation(() => {});
});

describe('the language of the page', () => {
  const zh = { language: 'zh-CN', theme: 'dark' };

  it('is that of the settings, and follows them at once when they are changed elsewhere', async () => {
    const api = serve({ 'GET /session': session({ door: 'window' }), 'GET /status': status() });
    render(App, { pages: pages() });
    await screen.findByText('the overview');
    expect(document.documentElement.lang).toBe('en');
    api.answers['GET /session'] = session({ door: 'window', ...zh });
    happen({ type: 'settings', paths: ['site.name'] });
    expect(api.of('GET /session')).toHaveLength(1);
    happen({ type: 'settings', paths: ['desktop.language', 'desktop.theme'] });
    await waitFor(() => expect(document.documentElement.lang).toBe('zh-CN'));
    expect(document.documentElement.dataset.theme).toBe('dark');
    api.answers['GET /session'] = session({ door: 'window' });
    happen({ type: 'settings', paths: ['desktop.language'] });
    await waitFor(() => expect(document.documentElement.lang).toBe('en')); // "auto": the system's
  });
  it('is set for tray and notices too when it is chosen in the window', async () => {
    const api = serve({ 'GET /session': session({ door: 'window' }), 'GET /status': status(), 'PATCH /settings': {} });
    render(App, { pages: pages() });
    await screen.findByText('the overview');
    app.speak('zh-CN');
    app.dress('dark');
    expect(api.of('PATCH /settings').map((c) => c.body)).toEqual([
      { path: 'desktop.language', value: 'zh-CN', revision: -1 },
      { path: 'desktop.theme', value: 'dark', revision: -1 },
    ]);
  });
  it('stays in a browser what somebody chose there', async () => {
    const api = serve({ 'GET /session': session({ ...zh }), 'GET /status': status() });
    render(App, { pages: pages() });
    await waitFor(() => expect(document.documentElement.lang).toBe('zh-CN')); // nobody chose yet
    app.speak('en');
    expect(api.of('PATCH /settings')).toHaveLength(0);
    happen({ type: 'settings', paths: ['desktop.language'] });
    await waitFor(() => expect(api.of('GET /session')).toHaveLength(2));
    await Promise.resolve();
    expect(document.documentElement.lang).toBe('en');
  });
});

describe('the start', () => {
  it('shows the page to whoever is signed in', async () => {
    serve({ 'GET /session': session(), 'GET /status': status() });
    render(App, { pages: pages() });
    expect(await screen.findByText('the overview')).toBeTruthy();
  });
  it('says that the appliance is away, and goes on by itself when it is back', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const api = serve({ 'GET /session': new TypeError('Failed to fetch'), 'GET /status': status() });
    render(App, { pages: pages() });
    expect((await screen.findByRole('alert')).textContent).toContain('The appliance does not answer. Is it running?');
    expect(screen.getByText('Try again')).toBeTruthy();
    api.answers['GET /session'] = session();
    await vi.advanceTimersByTimeAsync(3100);
    expect(await screen.findByText('the overview')).toBeTruthy();
    vi.useRealTimers();
  });
  it('asks for the password, and says when it is wrong', async () => {
    const api = serve({ 'GET /session': session({ state: 'signed_out', operator: undefined }), 'GET /status': status(), 'POST /session': refuse(401, 'haoke:signed-out', { field: 'password' }) });
    render(App, { pages: pages() });
    await fireEvent.input(await screen.findByLabelText('Password'), { target: { value: 'not this one' } });
    await fireEvent.submit(document.querySelector('form')!);
    expect((await screen.findByRole('alert')).textContent).toBe('Name or password is wrong.');
    api.answers['POST /session'] = refuse(429, 'haoke:rate-limited', { retry_after: 40 });
    await fireEvent.submit(document.querySelector('form')!);
    await waitFor(() => expect(screen.getByRole('alert').textContent).toBe('Too many tries. Wait 40 s and try again.'));
    api.answers['POST /session'] = session();
    await fireEvent.submit(document.querySelector('form')!);
    expect(await screen.findByText('the overview')).toBeTruthy();
  });
  it('begins with the first run, unless it was put off', async () => {
    serve({ 'GET /session': session({ wizard_done: false }), 'GET /status': status() });
    const all = { ...pages(), wizard: async () => page('the first run') };
    render(App, { pages: all });
    expect(await screen.findByText('the first run')).toBeTruthy();
    app.later = true;
    router.replace('overview');
    expect(await screen.findByText('the overview')).toBeTruthy();
  });
});

describe('a page whose code does not arrive', () => {
  it('is never empty: it says so, tries again, and at last loads everything anew', async () => {
    serve({ 'GET /session': session(), 'GET /status': status() });
    const all = pages();
    all.overview.mockRejectedValueOnce(new TypeError('Failed to fetch dynamically imported module')).mockRejectedValueOnce(new TypeError('Failed to fetch dynamically imported module'));
    render(App, { pages: all });
    expect((await screen.findByRole('alert')).textContent).toContain('A part of this page did not arrive.');
    await fireEvent.click(screen.getByText('Try again'));
    await screen.findByText('Try again');
    await waitFor(() => expect(all.overview).toHaveBeenCalledTimes(2));
    await fireEvent.click(await screen.findByText('Try again'));
    await waitFor(() => expect(reload).toHaveBeenCalledTimes(1));
  });
  it('comes by itself when the appliance is back', async () => {
    serve({ 'GET /session': session(), 'GET /status': status() });
    const all = pages();
    render(App, { pages: all });
    await screen.findByText('the overview');
    all.keys.mockRejectedValueOnce(new TypeError('Failed to fetch dynamically imported module'));
    app.reachable = false;
    router.replace('keys');
    expect((await screen.findAllByRole('alert')).map((a) => a.textContent).join()).toContain('Connection lost. Trying again.');
    await screen.findByText('Try again');
    app.reachable = true;
    expect(await screen.findByText('the keys')).toBeTruthy();
    expect(screen.queryByRole('alert')).toBeNull();
  });
  it('an address that is none says so', async () => {
    serve({ 'GET /session': session(), 'GET /status': status() });
    render(App, { pages: pages() });
    await screen.findByText('the overview');
    router.replace('nowhere');
    expect(await screen.findByText('There is no such page.')).toBeTruthy();
  });
});

describe('the palette', () => {
  const settings = { fields: [{ path: 'limits.daily_spend', label: { en: 'Budget a day', zh: '每日预算' } }] };
  const open = async (answers: Record<string, unknown> = {}) => {
    signIn();
    const api = serve({ 'GET /settings': settings, 'GET /conversations': ({ query }: Call) => ({ items: query.get('query') === 'ingrid' ? [{ id: 'c1', label: 'Ingrid', last_text: 'Norway?' }] : [] }), ...answers });
    overlays.palette();
    render(Palette);
    const input = screen.getByRole('combobox');
    await waitFor(() => expect(api.of('GET /settings')).toHaveLength(1));
    return { api, input };
  };
  const options = () => screen.queryAllByRole('option').map((o) => o.textContent);
  const type = (input: HTMLElement, value: string) => fireEvent.input(input, { target: { value } });

  it('finds pages, settings and visitors', async () => {
    const { input } = await open();
    await type(input, 'budget');
    await waitFor(() => expect(options()).toEqual(['Budget a daylimits.daily_spend']));
    await type(input, 'ingrid');
    await waitFor(() => expect(options()).toEqual(['IngridNorway?']));
    await type(input, 'xyzzy');
    await waitFor(() => expect(screen.getByText('Nothing matches.')).toBeTruthy());
  });
  it('is worked by keyboard alone', async () => {
    const { input } = await open();
    await type(input, 'k');
    await waitFor(() => expect(options().length).toBeGreaterThan(1));
    await fireEvent.keyDown(input, { key: 'ArrowUp' });
    expect(screen.getAllByRole('option').at(-1)!.getAttribute('aria-selected')).toBe('true');
    await fireEvent.keyDown(input, { key: 'ArrowDown' });
    expect(input.getAttribute('aria-activedescendant')).toBe('palette-0');
    await type(input, 'keys');
    await waitFor(() => expect(options()[0]).toContain('Keys'));
    await fireEvent.keyDown(input, { key: 'Enter', isComposing: true });
    expect(location.hash).toBe('#/overview');
    await fireEvent.keyDown(input, { key: 'Enter' });
    expect(location.hash).toBe('#/keys');
    expect(overlays.open).toBe('');
  });
  it('offers operators nothing of the owner', async () => {
    signIn('operator');
    const api = serve({});
    overlays.palette();
    render(Palette);
    expect(options().some((o) => /Backup|Logs|Pause/.test(o ?? ''))).toBe(false);
    expect(api.calls).toEqual([]);
  });
});

describe('a dialog', () => {
  it('closes by a click outside, not by a text that is marked until there', async () => {
    const closed = vi.fn();
    render(Dialog, { title: 'Edit', onclose: closed, children: createRawSnippet(() => ({ render: () => '<p>body</p>' })) });
    const dialog = screen.getByRole('dialog');
    await fireEvent.pointerDown(screen.getByText('body'));
    await fireEvent.click(dialog);
    expect(closed).not.toHaveBeenCalled();
    await fireEvent.pointerDown(dialog);
    await fireEvent.click(dialog);
    expect(closed).toHaveBeenCalledTimes(1);
  });
});
