// @vitest-environment jsdom
import './setup';
import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { UpdateState } from '../../src/api/types';
import { i18n } from '../../src/i18n/index.svelte';
import Updates from '../../src/pages/about/Updates.svelte';
import { refuse, serve, signIn, status } from './api';

const known = (part: Partial<UpdateState> = {}): UpdateState => ({ current: '0.1.0', enabled: true, can_apply: false, checked_at: new Date().toISOString(), ...part });
const offered = known({ latest: '0.2.0', notes: 'Faster.\n<b>bold</b>', notes_zh: '更快。', url: 'https://haoke.example/0.2.0', can_apply: true });

beforeEach(() => {
  signIn();
  i18n.set('en');
});

describe('the card of updates', () => {
  it('says that this is the newest version', async () => {
    serve({ 'GET /updates': known() });
    render(Updates);
    expect(await screen.findByText(/This is the newest version known/)).toBeTruthy();
    expect(screen.queryByText(/Install/)).toBeNull();
  });
  it('installs with one click, follows it through the restart, and takes up the new page', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const replaced = vi.fn();
    const api = serve({ 'GET /updates': offered, 'POST /updates/apply': known({ ...offered, can_apply: false, stage: 'downloading', done: 0, total: 100 }) });
    render(Updates, { props: { onreplaced: replaced } });
    expect(await screen.findByText('Version 0.2.0 is available.')).toBeTruthy();
    expect(screen.getByText(/<b>bold<\/b>/).tagName).toBe('PRE'); // the makers' notes are text too
    api.answers['GET /updates'] = known({ ...offered, can_apply: false, stage: 'downloading', done: 42, total: 100 });
    await fireEvent.click(screen.getByText('Install 0.2.0'));
    await vi.advanceTimersByTimeAsync(1100);
    expect(await screen.findByText('Downloading, 42%')).toBeTruthy();
    expect(screen.queryByText('Install 0.2.0')).toBeNull();
    api.answers['GET /updates'] = known({ ...offered, can_apply: false, stage: 'trying' });
    await vi.advanceTimersByTimeAsync(1100);
    expect(await screen.findByText('Trying it on a copy of your data')).toBeTruthy();
    api.answers['GET /updates'] = refuse(503, 'haoke:gone'); // between the two versions
    await vi.advanceTimersByTimeAsync(2100);
    expect(replaced).not.toHaveBeenCalled();
    api.answers['GET /updates'] = known({ current: '0.2.0' });
    await vi.advanceTimersByTimeAsync(1100);
    await waitFor(() => expect(replaced).toHaveBeenCalled());
    vi.useRealTimers();
  });
  it('says why an update was not made, and that nothing was changed', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const api = serve({ 'GET /updates': offered, 'POST /updates/apply': known({ ...offered, can_apply: false, stage: 'downloading' }) });
    render(Updates);
    await fireEvent.click(await screen.findByText('Install 0.2.0'));
    api.answers['GET /updates'] = known({ ...offered, apply_fault: 'its SHA-256 is another' });
    await vi.advanceTimersByTimeAsync(1100);
    expect(await screen.findByText('Not installed, nothing was changed: its SHA-256 is another')).toBeTruthy();
    expect(screen.getByText('Install 0.2.0')).toBeTruthy();
    vi.useRealTimers();
  });
  it('tells of a version that did not start', async () => {
    serve({ 'GET /updates': known({ last: { from: '0.1.0', to: '0.2.0', ok: false, fault: 'boom', at: new Date().toISOString() } }) });
    render(Updates);
    expect(await screen.findByText('Version 0.2.0 did not start, version 0.1.0 is in use again: boom')).toBeTruthy();
  });
  it('stops telling of it once somebody took notice, and keeps the line', async () => {
    const last = { from: '0.1.0', to: '0.2.0', ok: false, fault: 'boom', at: new Date().toISOString() };
    const api = serve({ 'GET /updates': known({ last }), 'POST /updates/seen': known({ last: { ...last, seen: true } }), 'GET /status': status() });
    render(Updates);
    await fireEvent.click(await screen.findByText('Dismiss'));
    await waitFor(() => expect(screen.queryByText('Dismiss')).toBeNull());
    expect(api.of('POST /updates/seen')).toHaveLength(1);
    expect(screen.getByText(/0.2.0 did not start/).className).toContain('muted');
  });
  it('leaves that to the owner', async () => {
    signIn('operator');
    serve({ 'GET /updates': known({ last: { from: '0.1.0', to: '0.2.0', ok: false, fault: 'boom', at: new Date().toISOString() } }) });
    render(Updates);
    expect(await screen.findByText(/0.2.0 did not start/)).toBeTruthy();
    expect(screen.queryByText('Dismiss')).toBeNull();
  });
  it('names the command where a package manager is in charge', async () => {
    serve({ 'GET /updates': known({ latest: '0.2.0', managed: 'deb', command: 'sudo apt install ./haoked_0.2.0-1_amd64.deb', file: 'https://haoke.example/haoked_0.2.0-1_amd64.deb' }) });
    render(Updates);
    expect(await screen.findByText('sudo apt install ./haoked_0.2.0-1_amd64.deb')).toBeTruthy();
    expect(screen.getByText('Download')).toBeTruthy();
    expect(screen.queryByText('Install 0.2.0')).toBeNull();
  });
  it('lets operators read and not install, and speaks Chinese', async () => {
    signIn('operator');
    i18n.set('zh-CN');
    serve({ 'GET /updates': offered });
    render(Updates);
    expect(await screen.findByText('更快。')).toBeTruthy();
    expect(screen.queryByText('安装 0.2.0')).toBeNull();
  });
});
