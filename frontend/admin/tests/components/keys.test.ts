// @vitest-environment jsdom
import './setup';
import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Key, KeyRing, KeyTest, Preset } from '../../src/api/types';
import { i18n } from '../../src/i18n/index.svelte';
import { notes } from '../../src/lib/notes.svelte';
import Keys from '../../src/pages/Keys.svelte';
import KeyDialog from '../../src/pages/keys/KeyDialog.svelte';
import ProviderForm, { type Entry } from '../../src/pages/keys/ProviderForm.svelte';
import { happen, refuse, serve, signIn } from './api';

const gauge = (configured = 0, learned = 0, used = 0) => ({ configured, learned, used });
const key = (part: Partial<Key> = {}): Key => ({ name: 'main', provider: 'main', masked: 'sk-…1234', source: 'window', locked: false, enabled: true, weight: 1, requests: gauge(500, 400, 320), tokens: gauge(), state: 'ok', in_flight: 0, spend_today: 1.2, calls_today: 41, errors_today: 0, admit_rate: null, created_at: '', ...part }) as Key;
const ring = (keys: Key[] = [key()], part: Partial<KeyRing> = {}): KeyRing => ({ providers: [{ name: 'main', preset: 'openai', base_url: 'https://api.openai.com/v1', model: 'gpt-4o-mini', models: {}, enabled: true, keys, locked: [], state: 'ok' }], store: 'file', currency: 'USD', in_flight: 1, in_flight_max: 500, queue: {}, ...part }) as KeyRing;
const presets: Preset[] = [
  { id: 'openai', name: 'OpenAI', base_url: 'https://api.openai.com/v1', models: ['gpt-4o-mini'], keys_url: 'https://platform.openai.com/api-keys', need_key: true, region: 'global' },
  { id: 'ollama', name: 'Ollama', base_url: 'http://127.0.0.1:11434/v1', models: ['qwen3'], keys_url: '', need_key: false, region: 'local' },
] as Preset[];
const tested = (part: Partial<KeyTest> = {}): KeyTest => ({ ok: true, status: 200, text: '', models: ['gpt-4o-mini', 'gpt-4o'], steps: [{ name: 'models', ok: true, ms: 12 }, { name: 'chat', ok: true, ms: 640 }], first_token_ms: 640, total_ms: 900, model: 'gpt-4o-mini', ...part }) as KeyTest;

beforeEach(() => {
  signIn();
  i18n.set('en');
  notes.flush();
  notes.list = [];
});

describe('the list of keys', () => {
  it('shows state, limits and spend, and never a key', async () => {
    serve({ 'GET /keys': ring([key({ state: 'cooling', reason: '429 from OpenAI', until: new Date(Date.now() + 90_000).toISOString() })]), 'GET /providers/presets': { items: presets } });
    render(Keys);
    expect(await screen.findByText(/Cooling down for another 1 min/)).toBeTruthy();
    expect(screen.getByText('sk-…1234')).toBeTruthy();
    expect(screen.getByText('429 from OpenAI')).toBeTruthy();
    const [requests, tokens] = screen.getAllByRole('meter');
    expect([requests!.getAttribute('aria-label'), requests!.getAttribute('aria-valuenow')]).toEqual(['Requests, set: 500, learned: 400', '320']);
    expect(tokens!.getAttribute('aria-label')).toBe('Tokens, no limit known');
  });
  it('puts the result of a test into the row', async () => {
    const api = serve({ 'GET /keys': ring(), 'GET /providers/presets': { items: presets }, 'POST /keys/main/test': tested({ ok: false, fault: 'auth', status: 401, text: 'it said: Incorrect API key provided', steps: [{ name: 'chat', ok: false, ms: 80 }] as never }) });
    render(Keys);
    await fireEvent.click(await screen.findByText('Test'));
    const result = await screen.findByText('The key was refused (401). Paste a new one.', { exact: false });
    expect(within(result.closest('li')!).getByText('it said: Incorrect API key provided')).toBeTruthy();
    i18n.set('zh-CN');
    expect(await screen.findByText('密钥被拒绝（401），请粘贴新的密钥。', { exact: false })).toBeTruthy();
    i18n.set('en');
    api.answers['POST /keys/main/test'] = tested();
    await fireEvent.click(await screen.findByText('Test'));
    expect(await screen.findByText('Works: gpt-4o-mini answered in 640 ms.')).toBeTruthy();
  });
  it('deletes only after the undo has passed', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const api = serve({ 'GET /keys': ring([key(), key({ name: 'second' })]), 'GET /providers/presets': { items: presets }, 'DELETE /keys/second': null });
    render(Keys);
    await screen.findByText('second');
    const remove = async () => {
      await fireEvent.click(screen.getByLabelText('second: Actions'));
      await fireEvent.click(screen.getByText('Delete key'));
    };
    await remove();
    expect(screen.queryByText('second')).toBeNull();
    notes.list[0]!.action!.run();
    expect(await screen.findByText('second')).toBeTruthy();
    await vi.advanceTimersByTimeAsync(11_000);
    expect(api.of('DELETE /keys/second')).toHaveLength(0);
    await remove();
    await vi.advanceTimersByTimeAsync(11_000);
    await waitFor(() => expect(api.of('DELETE /keys/second')).toHaveLength(1));
    vi.useRealTimers();
  });
  it('follows what happens elsewhere', async () => {
    serve({ 'GET /keys': ring(), 'GET /providers/presets': { items: presets } });
    render(Keys);
    expect(await screen.findByText('Works')).toBeTruthy();
    happen({ type: 'key', key: key({ state: 'refused', reason: '401' }) });
    expect(await screen.findByText('Refused')).toBeTruthy();
  });
  it('leaves what a file holds alone, and everything to owners', async () => {
    serve({ 'GET /keys': ring([key({ locked: true, source: 'config.toml:24' })]), 'GET /providers/presets': { items: presets } });
    const { unmount } = render(Keys);
    await screen.findByText('Set in config.toml:24');
    await fireEvent.click(screen.getByLabelText('main: Actions', { selector: 'li button' }));
    expect((screen.getByText('Delete key').closest('button') as HTMLButtonElement).disabled).toBe(true);
    unmount();
    signIn('operator');
    render(Keys);
    await screen.findByText('sk-…1234');
    expect(screen.queryByText('Add key')).toBeNull();
    expect(screen.queryByLabelText('main: Actions')).toBeNull();
  });
  it('says that the FAQ answers while there is no provider', async () => {
    serve({ 'GET /keys': ring([], { providers: [{ ...ring().providers[0]!, base_url: '', keys: [] }] }), 'GET /providers/presets': { items: presets } });
    render(Keys);
    expect(await screen.findByText('No provider is set up: answers come from the FAQ.')).toBeTruthy();
    expect(screen.getByText('Set up a provider')).toBeTruthy();
  });
});

describe('a new key', () => {
  const dialog = (api = serve({ 'POST /keys': key() })) => {
    const done = { closed: 0, saved: 0 };
    render(KeyDialog, { providers: ring().providers, provider: 'main', onclose: () => done.closed++, onsaved: () => done.saved++ });
    return { api, done };
  };
  it('is freed of what a paste brought along', async () => {
    const { api, done } = dialog();
    await fireEvent.input(screen.getByLabelText('Key value'), { target: { value: '  Authorization: Bearer sk-abc\n def \n' } });
    await fireEvent.submit(document.getElementById('key-form')!);
    await waitFor(() => expect(done).toEqual({ closed: 1, saved: 1 }));
    expect(api.of('POST /keys')[0]!.body).toEqual({ rpm: 0, tpm: 0, weight: 1, name: '', provider: 'main', value: 'sk-abcdef' });
  });
  it('stays with its text when it is refused', async () => {
    const { done } = dialog(serve({ 'POST /keys': refuse(409, 'haoke:exists', { field: 'name', detail: 'There is a key "main".' }) }));
    await fireEvent.input(screen.getByLabelText(/Name of the key/), { target: { value: 'main' } });
    await fireEvent.input(screen.getByLabelText('Key value'), { target: { value: 'sk-abc' } });
    await fireEvent.submit(document.getElementById('key-form')!);
    expect((await screen.findByRole('alert')).textContent).toBe('There is a key "main".');
    expect((screen.getByLabelText('Key value') as HTMLInputElement).value).toBe('sk-abc');
    expect(done.closed).toBe(0);
  });
});

describe('a provider', () => {
  const form = (start: Partial<Entry>, answers: Record<string, unknown>) => {
    const api = serve(answers);
    const state = { entry: { preset: 'openai', base_url: 'https://api.openai.com/v1', model: 'gpt-4o-mini', value: '', ...start } };
    const shown = render(ProviderForm, { entry: state.entry, presets, onchange: (e: Entry) => ((state.entry = e), void shown.rerender({ entry: e })) });
    return { api, state };
  };
  it('is tested as soon as the key is pasted, with the key cleaned', async () => {
    const { api, state } = form({}, { 'POST /keys/test': tested() });
    const input = screen.getByLabelText('Key');
    await fireEvent.input(input, { target: { value: ' "sk-pasted-1234" \n' } });
    await fireEvent.change(input);
    expect(await screen.findByText('Works: gpt-4o-mini answered in 640 ms.')).toBeTruthy();
    expect(state.entry.value).toBe('sk-pasted-1234');
    expect(api.of('POST /keys/test')[0]!.body).toMatchObject({ base_url: 'https://api.openai.com/v1', value: 'sk-pasted-1234', preset: 'openai' });
    expect(screen.getByText('Cleaned up: spaces or extra words around the key were removed.')).toBeTruthy();
  });
  it('says what is wrong in plain words', async () => {
    form({ value: 'sk-wrong' }, { 'POST /keys/test': tested({ ok: false, fault: 'unavailable', status: 0, text: 'dial tcp: lookup api.exampl.com: no such host' }) });
    await fireEvent.click(screen.getByText('Test'));
    expect((await screen.findByText('The provider cannot be reached.', { exact: false })).textContent).toContain('no such host');
  });
  it('mends an address without /v1', async () => {
    const { state } = form({ preset: 'custom', base_url: 'https://api.example.com/' }, {});
    expect(screen.getByText('Did you mean https://api.example.com/v1?', { exact: false })).toBeTruthy();
    await fireEvent.click(screen.getByText('Use this'));
    expect(state.entry.base_url).toBe('https://api.example.com/v1');
  });
  it('takes the address that the test found to work', async () => {
    const { state } = form({ preset: 'custom', base_url: 'https://api.example.com/openai/v1' }, { 'POST /keys/test': tested({ base_url: 'https://api.example.com/compatible/v1' }) });
    await fireEvent.click(screen.getByText('Test'));
    await fireEvent.click(await screen.findByText('Use this'));
    expect(state.entry.base_url).toBe('https://api.example.com/compatible/v1');
  });
  it('asks for no key where none is needed', async () => {
    const { state } = form({}, {});
    await fireEvent.change(screen.getByLabelText('Service'), { target: { value: 'ollama' } });
    expect(state.entry).toMatchObject({ preset: 'ollama', base_url: 'http://127.0.0.1:11434/v1', model: 'qwen3' });
    await waitFor(() => expect(screen.queryByLabelText('Key')).toBeNull());
    expect(screen.getByText('Runs on your own machine; no key needed.')).toBeTruthy();
  });
});
