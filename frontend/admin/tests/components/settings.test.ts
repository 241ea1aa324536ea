// @vitest-environment jsdom
import './setup';
import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SettingField } from '../../src/api/types';
import { i18n } from '../../src/i18n/index.svelte';
import { notes } from '../../src/lib/notes.svelte';
import SettingRow from '../../src/pages/settings/SettingRow.svelte';
import { refuse, serve, signIn } from './api';

const field = (part: Partial<SettingField>): SettingField => ({
  path: 'site.name', group: 'site', type: 'string', label: { en: 'Name', zh: '名称' }, help: { en: 'Visitors read it.', zh: '访客会看到。' }, value: 'Tea house', default: 'Demo shop', source: 'window', locked: false, secret: false, restart: false, advanced: false, revision: 3, ...part,
});
const row = (part: Partial<SettingField> = {}) => {
  const changes: unknown[] = [];
  const shown = render(SettingRow, { field: field(part), highlighted: false, onchanged: (c: unknown) => changes.push(c) });
  return { ...shown, changes };
};
const saved = (part: Partial<SettingField>, previous: Record<string, unknown> = {}) => ({ revision: 9, fields: [field({ ...part, revision: 9 })], previous, restart: [], warnings: [] });
const type = async (input: HTMLElement, text: string) => {
  await fireEvent.input(input, { target: { value: text } });
  await fireEvent.change(input, { target: { value: text } });
};

beforeEach(() => {
  signIn();
  i18n.set('en');
  notes.list = [];
});

describe('a setting', () => {
  it('saves what was typed with the revision it started from, and offers to undo it', async () => {
    const api = serve({ 'PATCH /settings': saved({ value: 'Tea & more' }, { 'site.name': 'Tea house' }) });
    const { changes } = row();
    await type(screen.getByLabelText('Name'), 'Tea & more');
    await screen.findByText('Saved');
    expect(api.of('PATCH /settings')[0]!.body).toEqual({ path: 'site.name', revision: 3, value: 'Tea & more' });
    expect(changes).toHaveLength(1);
    notes.list[0]!.action!.run();
    await waitFor(() => expect(api.of('PATCH /settings')).toHaveLength(2));
    expect(api.of('PATCH /settings')[1]!.body).toEqual({ path: 'site.name', revision: -1, value: 'Tea house' });
  });
  it('does not call when nothing changed, and says at once what cannot be', async () => {
    const api = serve({});
    const { unmount } = row();
    await type(screen.getByLabelText('Name'), 'Tea house');
    unmount();
    row({ type: 'int', value: 20, min: 1, max: 50 });
    const input = screen.getByLabelText('Name');
    await type(input, 'many');
    expect(screen.getByRole('alert').textContent).toBe('This is not a number.');
    await type(input, '51');
    expect(screen.getByRole('alert').textContent).toBe('At most 50.');
    expect(input.getAttribute('aria-invalid')).toBe('true');
    await fireEvent.keyDown(input, { key: 'Escape' });
    expect((input as HTMLInputElement).value).toBe('20');
    expect(api.calls).toEqual([]);
  });
  it('shows a refusal of the server beside the field and keeps the text', async () => {
    serve({ 'PATCH /settings': refuse(422, 'haoke:invalid', { detail: 'Use a name that visitors can read.', hint: 'at most 80 characters' }) });
    row();
    await type(screen.getByLabelText('Name'), 'x');
    expect((await screen.findByRole('alert')).textContent).toContain('Use a name that visitors can read.');
    expect((screen.getByLabelText('Name') as HTMLInputElement).value).toBe('x');
  });
  it('names its choices in both languages', async () => {
    const part = { type: 'enum' as const, value: 'offline', choices: [{ value: 'offline', name: { en: 'Answer from the FAQ', zh: '由常见问题回答' } }, { value: 'people', name: { en: 'Leave it to people', zh: '只由人工回答' } }] };
    const { unmount } = row(part);
    expect(within(screen.getByLabelText('Name')).getAllByRole('option').map((o) => o.textContent)).toEqual(['Answer from the FAQ', 'Leave it to people']);
    unmount();
    i18n.set('zh-CN');
    row(part);
    expect(within(screen.getByLabelText('名称')).getAllByRole('option').map((o) => o.textContent)).toEqual(['由常见问题回答', '只由人工回答']);
  });
  it('is locked with its place when a stronger source holds it, and for operators', () => {
    const { unmount } = row({ source: 'config.toml:6', locked: true });
    expect((screen.getByLabelText('Name') as HTMLInputElement).disabled).toBe(true);
    expect(screen.getByText(/Set in config.toml:6/)).toBeTruthy();
    expect(screen.queryByText('Reset to default')).toBeNull();
    unmount();
    signIn('operator');
    row();
    expect((screen.getByLabelText('Name') as HTMLInputElement).disabled).toBe(true);
  });
  it('goes back to its default', async () => {
    const api = serve({ 'PATCH /settings': saved({ value: 'Demo shop', source: 'default' }) });
    row();
    await fireEvent.click(screen.getByText('Reset to default'));
    await waitFor(() => expect(api.of('PATCH /settings')[0]!.body).toEqual({ path: 'site.name', revision: 3, reset: true }));
  });
  it('never shows a secret, and asks for nothing to keep it', async () => {
    const api = serve({});
    row({ type: 'secret', secret: true, value: 'set' });
    const input = screen.getByLabelText('Name') as HTMLInputElement;
    expect([input.type, input.value, input.placeholder]).toEqual(['password', '', 'Set. Type to replace it.']);
    await type(input, '');
    expect(api.calls).toEqual([]);
  });
});

describe('a dangerous setting', () => {
  const danger = { en: 'Other machines will reach this page.', zh: '其他机器可以访问此页。' };
  it('names its consequence first and goes back when it is cancelled', async () => {
    const api = serve({ 'PATCH /settings': saved({ type: 'bool', value: true }) });
    row({ type: 'bool', value: false, danger });
    const box = screen.getByRole('switch') as HTMLInputElement;
    await fireEvent.click(box);
    expect(screen.getByText(danger.en)).toBeTruthy();
    await fireEvent.click(screen.getByText('Cancel'));
    await waitFor(() => expect(box.checked).toBe(false));
    expect(api.calls).toEqual([]);
    await fireEvent.click(box);
    await fireEvent.click(screen.getByText('Change it'));
    await waitFor(() => expect(api.of('PATCH /settings').map((c) => c.body)).toEqual([{ path: 'site.name', revision: expect.any(Number), value: true }]));
  });
});

describe('two windows that change the same setting', () => {
  const theirs = (part: Partial<SettingField>) => refuse(409, 'haoke:conflict', { field: part.path ?? 'site.name', current: field({ revision: 4, ...part }) });
  it('shows the other value and keeps mine when told so', async () => {
    const api = serve({ 'PATCH /settings': theirs({ value: 'Teahouse Ltd' }) });
    row();
    await type(screen.getByLabelText('Name'), 'My tea');
    expect((await screen.findByRole('alert')).textContent).toContain('Changed elsewhere meanwhile to Teahouse Ltd.');
    expect((screen.getByLabelText('Name') as HTMLInputElement).value).toBe('My tea');
    api.answers['PATCH /settings'] = saved({ value: 'My tea' });
    await fireEvent.click(screen.getByText('Keep mine'));
    await screen.findByText('Saved');
    expect(api.of('PATCH /settings')[1]!.body).toEqual({ path: 'site.name', revision: -1, value: 'My tea' });
    expect(screen.queryByRole('alert')).toBeNull();
  });
  it('takes the other value without a further call', async () => {
    const api = serve({ 'PATCH /settings': theirs({ value: 'Teahouse Ltd' }) });
    const { changes } = row();
    await type(screen.getByLabelText('Name'), 'My tea');
    await fireEvent.click(await screen.findByText('Use that'));
    expect(api.calls).toHaveLength(1);
    expect(changes).toEqual([{ revision: 4, fields: [field({ value: 'Teahouse Ltd', revision: 4 })], previous: {}, warnings: [] }]);
  });
  it('joins two changes of a list', async () => {
    const api = serve({ 'PATCH /settings': theirs({ type: 'strings', value: ['https://a.example', 'https://theirs.example'] }) });
    row({ type: 'strings', value: ['https://a.example', 'https://b.example'] });
    await type(screen.getByLabelText('Name'), 'https://a.example\nhttps://b.example\nhttps://mine.example');
    api.answers['PATCH /settings'] = saved({});
    await fireEvent.click(await screen.findByText('Keep both'));
    await waitFor(() => expect(api.of('PATCH /settings')).toHaveLength(2));
    expect(api.of('PATCH /settings')[1]!.body).toEqual({ path: 'site.name', revision: -1, value: ['https://a.example', 'https://theirs.example', 'https://mine.example'] });
  });
  it('a switch that met another change can still be kept', async () => {
    const api = serve({ 'PATCH /settings': theirs({ type: 'bool', value: false }) });
    row({ type: 'bool', value: false });
    const box = screen.getByRole('switch') as HTMLInputElement;
    await fireEvent.click(box);
    await screen.findByText('Keep mine');
    expect(box.checked).toBe(false); // what is stored, not what was wished
    api.answers['PATCH /settings'] = saved({ type: 'bool', value: true });
    await fireEvent.click(screen.getByText('Keep mine'));
    await waitFor(() => expect(api.of('PATCH /settings')[1]!.body).toEqual({ path: 'site.name', revision: -1, value: true }));
  });
});
