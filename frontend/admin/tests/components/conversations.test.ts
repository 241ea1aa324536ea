// @vitest-environment jsdom
import './setup';
import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Conversation, Message } from '../../src/api/types';
import { i18n } from '../../src/i18n/index.svelte';
import { app } from '../../src/lib/app.svelte';
import { notes } from '../../src/lib/notes.svelte';
import { router } from '../../src/lib/router.svelte';
import Conversations from '../../src/pages/Conversations.svelte';
import Transcript from '../../src/pages/conversations/Transcript.svelte';
import { happen, refuse, serve, signIn, status, type Call } from './api';

const head = (id: string, part: Partial<Conversation> = {}): Conversation => ({ id, site: 'default', mode: 'ai', version: 1, last_seq: 2, created_at: '2026-11-22T10:00:00Z', updated_at: `2026-11-22T10:0${id.at(-1)}:00Z`, visitor: {}, page: {}, online: false, answering: false, unread: 0, spend: 0, tokens: 0, last_text: `last of ${id}`, last_from: 'visitor', blocked: false, unanswered: false, archived: false, shipped: false, ...part }) as Conversation;
const message = (seq: number, part: Partial<Message> = {}): Message => ({ seq, from: seq % 2 ? 'visitor' : 'ai', text: `text ${seq}`, at: '2026-11-22T10:00:00Z', ...part }) as Message;
const list = (...items: Conversation[]) => ({ items, counts: { open: items.length, waiting: 1 } });
const names = () => within(screen.getByLabelText('Conversations', { selector: 'section' })).queryAllByRole('link').map((a) => a.id.slice(2));

beforeEach(() => {
  signIn();
  i18n.set('en');
  notes.flush();
  notes.list = [];
  history.replaceState(null, '', '#/conversations');
  router.place = { page: 'conversations', rest: [] };
});

describe('the list of conversations', () => {
  it('stays in order while things happen, and lets go of what no longer belongs', async () => {
    serve({ 'GET /conversations': list(head('c3'), head('c2'), head('c1')) });
    render(Conversations);
    await screen.findByText('last of c3');
    expect(names()).toEqual(['c3', 'c2', 'c1']);
    happen({ type: 'conversation', conversation: head('c1', { updated_at: '2026-11-22T10:09:00Z', unread: 1 }) });
    await waitFor(() => expect(names()).toEqual(['c1', 'c3', 'c2']));
    happen({ type: 'conversation', conversation: head('c9') });
    await waitFor(() => expect(names()).toEqual(['c9', 'c1', 'c3', 'c2']));
    happen({ type: 'conversation', conversation: head('c3', { archived: true }) });
    happen({ type: 'gone', id: 'c2' });
    await waitFor(() => expect(names()).toEqual(['c9', 'c1']));
  });
  it('searches once typing pauses, everywhere, and keeps what was found', async () => {
    const api = serve({ 'GET /conversations': ({ query }: Call) => (query.get('query') ? list(head('c1', { last_text: 'about oolong' })) : list(head('c2'))) });
    render(Conversations);
    await screen.findByText('last of c2');
    const input = screen.getByLabelText('Search messages and visitors');
    for (const text of ['o', 'oo', 'ool']) await fireEvent.input(input, { target: { value: text } });
    await screen.findByText('about oolong');
    expect(api.of('GET /conversations').map((c) => [c.query.get('query'), c.query.get('state')])).toEqual([[null, 'open'], ['ool', 'all']]);
    happen({ type: 'conversation', conversation: head('c5') });
    expect(names()).toEqual(['c1']);
  });
  it('filters by state, rating and unanswered', async () => {
    const api = serve({ 'GET /conversations': list(head('c1')) });
    render(Conversations);
    await screen.findByText('last of c1');
    for (const value of ['waiting', 'lowRating', 'unanswered']) await fireEvent.change(screen.getByLabelText('Show'), { target: { value } });
    await waitFor(() => expect(api.calls).toHaveLength(4));
    expect(api.calls.slice(1).map((c) => c.query.toString())).toEqual(['state=waiting&limit=50', 'state=all&rating=2&limit=50', 'state=all&unanswered=true&limit=50']);
  });
  it('is empty, fails and loads more with a way on', async () => {
    const api = serve({ 'GET /conversations': list() });
    const { unmount } = render(Conversations);
    expect(await screen.findByText('No conversations yet.')).toBeTruthy();
    unmount();
    api.answers['GET /conversations'] = refuse(500, 'about:blank', { detail: 'The database could not be read.' });
    const again = render(Conversations);
    expect((await screen.findByRole('alert')).textContent).toContain('The database could not be read.');
    api.answers['GET /conversations'] = ({ query }: Call) => (query.get('cursor') ? list(head('c1'), head('c2')) : { ...list(head('c3'), head('c2')), next: 'n2' });
    await fireEvent.click(screen.getByText('Try again'));
    await fireEvent.click(await screen.findByText('Load more'));
    await waitFor(() => expect(names()).toEqual(['c3', 'c2', 'c1']));
    again.unmount();
  });
});

describe('a transcript', () => {
  const detail = (part: Partial<Conversation> = {}, messages = [message(1), message(2)]) => ({ conversation: head('c1', part), messages, earlier: false });
  const open = async (answers: Record<string, unknown> = {}, d = detail()) => {
    const hidden: [string, boolean][] = [];
    const api = serve({ 'GET /conversations/c1': d, 'GET /status': status(), ...answers });
    render(Transcript, { id: 'c1', onhide: (id: string, yes: boolean) => hidden.push([id, yes]) });
    await screen.findByRole('log');
    return { api, hidden };
  };
  const said = () => [...screen.getByRole('log').querySelectorAll('.text')].map((e) => e.textContent);

  it('shows the words of strangers as words', async () => {
    const evil = '<img src=x onerror=alert(1)> <script>alert(2)</script> [x](javascript:alert(3))';
    await open({}, detail({ label: '<b>Mallory</b>', page: { url: 'javascript:alert(4)', title: '<i>page</i>' } }, [message(1, { text: evil })]));
    expect(said()).toEqual([evil]);
    expect(screen.getByText('<b>Mallory</b>')).toBeTruthy();
    expect(document.querySelector('img, script, iframe, b > b')).toBeNull();
    expect([...document.querySelectorAll('a')].filter((a) => /javascript:/.test(a.href))).toEqual([]);
  });
  it('shows a picture that a visitor sent, from our own address only', async () => {
    const id = '0123456789abcdef0123456789abcdef';
    await open({}, detail({}, [message(1, { text: `![broken cup.png](/v1/files/${id}.png)` }), message(3, { text: '![x](https://evil.example/spy.png)' }), message(5, { text: `[order.pdf](/v1/files/${id}.pdf)` })]));
    const pictures = [...document.querySelectorAll('img')];
    expect(pictures.map((i) => [i.getAttribute('src'), i.alt])).toEqual([[`/api/admin/v1/files/${id}.png`, 'broken cup.png']]);
    expect(screen.getByText('order.pdf').closest('a')!.getAttribute('href')).toBe(`/api/admin/v1/files/${id}.pdf`);
    await fireEvent.error(pictures[0]!);
    expect(screen.getByText(/no longer kept/)).toBeTruthy();
  });
  it('grows with the answer piece by piece, and ends in the durable one', async () => {
    await open();
    happen({ type: 'draft', id: 'c1', draft: { seq: 3, part: 0, text: 'We ship' } });
    happen({ type: 'draft', id: 'c1', draft: { seq: 3, part: 1, text: ' to Norway' } });
    happen({ type: 'draft', id: 'other', draft: { seq: 3, part: 2, text: ' and elsewhere' } });
    await waitFor(() => expect(said()).toEqual(['text 1', 'text 2', 'We ship to Norway']));
    happen({ type: 'message', id: 'c1', message: message(3, { from: 'ai', text: 'We ship to Norway.' }) });
    await waitFor(() => expect(said()).toEqual(['text 1', 'text 2', 'We ship to Norway.']));
  });
  it('is taken over, answered and given back', async () => {
    let mode = 'ai';
    const { api } = await open({
      'POST /conversations/c1/mode': ({ body }: Call) => ((mode = (body as { mode: string }).mode), head('c1', { mode: mode as never, operator: mode === 'human' ? 'owner' : undefined })),
      'POST /conversations/c1/messages': ({ body }: Call) => message(3, { from: 'operator', text: (body as { text: string }).text }),
      'POST /conversations/c1/typing': null,
    });
    await fireEvent.click(screen.getByText('Take over'));
    expect(await screen.findByText('Give back to AI')).toBeTruthy();
    const box = screen.getByLabelText('Write an answer');
    await fireEvent.input(box, { target: { value: 'This is Anna.' } });
    await fireEvent.keyDown(box, { key: 'Enter', isComposing: true }); // choosing a Chinese word does not send
    await fireEvent.keyDown(box, { key: 'Enter', shiftKey: true });
    expect(api.of('POST /conversations/c1/messages')).toHaveLength(0);
    await fireEvent.keyDown(box, { key: 'Enter' });
    await waitFor(() => expect(said()).toEqual(['text 1', 'text 2', 'This is Anna.']));
    expect(api.of('POST /conversations/c1/typing')).toHaveLength(1);
    await fireEvent.click(screen.getByText('Give back to AI'));
    expect(await screen.findByText('Take over')).toBeTruthy();
  });
  it('keeps an answer that was not sent, and sends it under the same id again', async () => {
    const { api } = await open({ 'POST /conversations/c1/messages': new TypeError('Failed to fetch') });
    const box = screen.getByLabelText('Write an answer') as HTMLTextAreaElement;
    await fireEvent.input(box, { target: { value: 'A long answer' } });
    await fireEvent.submit(box.form!);
    await waitFor(() => expect(notes.list.at(-1)?.text).toContain('Not sent'));
    expect(box.value).toBe('A long answer');
    api.answers['POST /conversations/c1/messages'] = message(3, { from: 'operator', text: 'A long answer' });
    await fireEvent.submit(box.form!);
    await waitFor(() => expect(box.value).toBe(''));
    const ids = api.of('POST /conversations/c1/messages').map((c) => (c.body as { id: string }).id);
    expect(ids).toHaveLength(2);
    expect(ids[0]).toBe(ids[1]);
  });
  it('does not lose an answer because the session ended', async () => {
    let signedIn = false;
    const { api } = await open({ 'POST /conversations/c1/messages': ({ body }: Call) => (signedIn ? message(3, { from: 'operator', text: (body as { text: string }).text }) : refuse(401, 'haoke:signed-out')), 'GET /session': {} });
    const box = screen.getByLabelText('Write an answer') as HTMLTextAreaElement;
    await fireEvent.input(box, { target: { value: 'Typed for ten minutes' } });
    await fireEvent.submit(box.form!);
    await waitFor(() => expect(app.expired).toBe(true));
    expect(box.value).toBe('Typed for ten minutes');
    signedIn = true;
    vi.spyOn(app.events, 'start').mockImplementation(() => {});
    await app.enter(app.session!);
    await waitFor(() => expect(said()).toContain('Typed for ten minutes'));
    expect(api.of('POST /conversations/c1/messages')).toHaveLength(2);
    expect(box.value).toBe('');
  });
  it('asks before it takes a conversation from a colleague', async () => {
    const { api } = await open({ 'POST /conversations/c1/mode': ({ body }: Call) => ((body as { force: boolean }).force ? head('c1', { mode: 'human', operator: 'owner' }) : refuse(409, 'haoke:conflict', { detail: 'Lin answers this conversation.' })) }, detail({ mode: 'waiting' }));
    await fireEvent.click(screen.getByText('Take over'));
    await waitFor(() => expect(notes.list.at(-1)?.text).toBe('Lin answers this conversation.'));
    notes.list.at(-1)!.action!.run();
    await waitFor(() => expect(api.of('POST /conversations/c1/mode').map((c) => (c.body as { force: boolean }).force)).toEqual([false, true]));
  });
  it('leaves when the conversation is deleted elsewhere', async () => {
    await open();
    happen({ type: 'gone', id: 'c1' });
    await waitFor(() => expect(location.hash).toBe('#/conversations'));
  });
  it('shows how an answer was made', async () => {
    await open({ 'GET /conversations/c1/messages/2/trace': { prompt: [{ role: 'system', content: 'You answer for <b>the shop</b>.' }], passages: [{ kind: 'recall', text: 'Norway: 5 days', score: 0.8 }], parts: [{ name: 'system', tokens: 120 }, { name: 'question', tokens: 12 }] } }, detail({}, [message(1), message(2, { turn: { model: 'gpt-4o-mini', key: 'main', filter_us: 100, prompt_us: 1200, queue_us: 0, first_us: 640_000, total_us: 2_100_000, prompt: 800, completion: 12, cost: 0.0004, hits: [{ rule: 'casino', action: 'mask' }] } as never })]));
    expect([...document.querySelectorAll('ol li')].map((li) => li.textContent)).toEqual(['Filter100 µs', 'Recall and prompt1.2 ms', 'Waiting for a place0', 'First wordsat 640 ms', 'Completeat 2.1 s']);
    expect(screen.getByText('812')).toBeTruthy();
    expect(screen.getByText('$0.0004')).toBeTruthy();
    await fireEvent.click(screen.getByText('See what was sent'));
    expect(await screen.findByText('You answer for <b>the shop</b>.')).toBeTruthy();
    expect(screen.getByText('Norway: 5 days')).toBeTruthy();
  });
});
