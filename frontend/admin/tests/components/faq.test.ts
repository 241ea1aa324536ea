// @vitest-environment jsdom
import './setup';
import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { i18n } from '../../src/i18n/index.svelte';
import { router } from '../../src/lib/router.svelte';
import Faq from '../../src/pages/Faq.svelte';
import AnswerCache from '../../src/pages/settings/AnswerCache.svelte';
import { refuse, serve, signIn, status, type Call } from './api';

const entry = (id: number, part = {}) => ({ id, lang: 'en', question: `Question ${id}?`, alternatives: [], answer: `Answer ${id}.`, enabled: true, hits: 0, updated_at: '', ...part });
const go = (...rest: string[]) => (router.place = { page: 'faq', rest });

beforeEach(() => {
  signIn();
  i18n.set('en');
  go();
});

const page = (answers: Record<string, unknown> = {}) => {
  const api = serve({ 'GET /faq': { items: [entry(1), entry(2)], total: 2, langs: ['en'] }, 'GET /faq/unanswered': { items: [{ id: 7, text: 'Do you ship to Mars?', lang: 'en', count: 3, last_at: '2026-11-22T10:00:00Z' }] }, 'GET /status': status(), ...answers });
  render(Faq);
  return api;
};

describe('the FAQ', () => {
  it('keeps a half-written entry while another one is looked at', async () => {
    page();
    await screen.findByText('Question 1?');
    go('1');
    await fireEvent.input(await screen.findByLabelText('Answer'), { target: { value: 'A better answer' } });
    go('2');
    await waitFor(() => expect((screen.getByLabelText('Answer') as HTMLTextAreaElement).value).toBe('Answer 2.'));
    go('1');
    await waitFor(() => expect((screen.getByLabelText('Answer') as HTMLTextAreaElement).value).toBe('A better answer'));
    await fireEvent.click(screen.getByText('Discard changes'));
    expect((screen.getByLabelText('Answer') as HTMLTextAreaElement).value).toBe('Answer 1.');
  });
  it('writes the answer to a question that had none', async () => {
    const api = page({ 'POST /faq': ({ body }: Call) => entry(9, body as object) });
    go('unanswered');
    await fireEvent.click(await screen.findByText('Write the answer'));
    go('new');
    expect(((await screen.findByLabelText('Question')) as HTMLInputElement).value).toBe('Do you ship to Mars?');
    await fireEvent.input(screen.getByLabelText('Answer'), { target: { value: 'Not yet.' } });
    await fireEvent.submit(screen.getByLabelText('Answer').closest('form')!);
    await waitFor(() => expect(api.of('POST /faq')[0]!.body).toMatchObject({ question: 'Do you ship to Mars?', answer: 'Not yet.', unanswered: 7 }));
  });
  it('shows a refusal at the field that it is about', async () => {
    page({ 'PUT /faq/1': refuse(409, 'haoke:exists', { field: 'question', detail: 'There is an entry with this question in this language.' }) });
    await screen.findByText('Question 1?');
    go('1');
    const question = await screen.findByLabelText('Question');
    await fireEvent.input(question, { target: { value: 'Question 2?' } });
    await fireEvent.submit(question.closest('form')!);
    expect((await screen.findByRole('alert')).textContent).toBe('There is an entry with this question in this language.');
    expect(question.getAttribute('aria-invalid')).toBe('true');
  });
  it('unfolds beyond the first 200, and stays unfolded', async () => {
    const all = Array.from({ length: 450 }, (_, i) => entry(i + 1));
    const api = page({ 'GET /faq': ({ query }: Call) => { const from = Number(query.get('cursor') ?? 0); return { items: all.slice(from, from + 200), total: 450, langs: [], next: from + 200 < 450 ? String(from + 200) : '' }; } });
    await screen.findByText('Question 200?');
    expect(screen.queryByText('Question 201?')).toBeNull();
    await fireEvent.click(screen.getByText('Load more'));
    await screen.findByText('Question 400?');
    await fireEvent.click(screen.getByText('Load more'));
    await screen.findByText('Question 450?');
    expect(screen.queryByText('Load more')).toBeNull();
    expect(api.of('GET /faq')).toHaveLength(1 + 2 + 3);
  });
  it('asks which column is which, and imports by that', async () => {
    const report = (use: string[], added: number) => ({ added, updated: 0, skipped: 0, rejected: 0, encoding: 'utf-8', notes: [], truncated: false, preview: [], columns: [{ name: 'Nr', sample: '1', use: use[0] }, { name: 'Kunde fragt', sample: 'Habt ihr Tee?', use: use[1] }, { name: 'Wir sagen', sample: 'Ja.', use: use[2] }] });
    const api = page({ 'POST /faq/import': ({ query }: Call) => report((query.get('columns') || ',,').split(','), query.get('columns') === ',question,answer' ? 2 : 0) });
    await fireEvent.click(await screen.findByLabelText('Actions'));
    await fireEvent.click(screen.getByText('Import'));
    const file = new File(['Nr;Kunde fragt;Wir sagen\n1;Habt ihr Tee?;Ja.\n'], 'faq.csv');
    await fireEvent.change(screen.getByLabelText('Choose a file'), { target: { files: [file] } });
    expect(await screen.findByText('Which column is which?')).toBeTruthy();
    expect((screen.getByText('Import', { selector: 'footer button' }) as HTMLButtonElement).disabled).toBe(true);
    await fireEvent.change(screen.getByLabelText(/Kunde fragt/), { target: { value: 'question' } });
    await waitFor(() => expect(api.of('POST /faq/import').at(-1)!.query.get('columns')).toBe(',question,'));
    await waitFor(() => expect((screen.getByLabelText(/Kunde fragt/) as HTMLSelectElement).value).toBe('question'));
    await fireEvent.change(screen.getByLabelText(/Wir sagen/), { target: { value: 'answer' } });
    expect(await screen.findByText(/2 new, 0 changed/)).toBeTruthy();
    await fireEvent.click(screen.getByText('Import', { selector: 'footer button' }));
    await waitFor(() => expect(api.of('POST /faq/import').at(-1)!.query.toString()).toBe('columns=%2Cquestion%2Canswer'));
  });
  it('is told of an import that was left, and nothing else is closed by it', async () => {
    let answer: (report: unknown) => void = () => {};
    const report = { added: 2, updated: 0, skipped: 0, rejected: 0, encoding: 'utf-8', notes: [], truncated: false, preview: [], columns: [] };
    const api = page({ 'POST /faq/import': ({ query }: Call) => (query.get('dry_run') ? report : new Promise((r) => (answer = r))) });
    const open = async () => {
      await fireEvent.click(await screen.findByLabelText('Actions'));
      await fireEvent.click(screen.getByText('Import'));
      await screen.findByLabelText('Choose a file');
    };
    await open();
    await fireEvent.change(screen.getByLabelText('Choose a file'), { target: { files: [new File(['a,b\n'], 'faq.csv')] } });
    await screen.findByText(/2 new, 0 changed/);
    await fireEvent.click(screen.getByText('Import', { selector: 'footer button' }));
    await waitFor(() => expect(api.of('POST /faq/import')).toHaveLength(2));
    await fireEvent.click(screen.getByText('Cancel', { selector: 'footer button' }));
    await open();
    const asked = api.of('GET /faq').length;
    answer(report);
    await waitFor(() => expect(api.of('GET /faq').length).toBeGreaterThan(asked));
    expect(screen.getByLabelText('Choose a file')).toBeTruthy();
  });
});

describe('the kept answers', () => {
  it('are counted and forgotten', async () => {
    const api = serve({ 'GET /answers': { entries: 12, bytes: 30_000, hits: 4, ttl_s: 3600 }, 'DELETE /answers': { entries: 0, bytes: 0, hits: 4, ttl_s: 3600 } });
    render(AnswerCache, { ttl: '1h' });
    expect(await screen.findByText('12 answers are kept (30 KB); given again 4 times since the start.')).toBeTruthy();
    await fireEvent.click(screen.getByText('Forget them'));
    expect(await screen.findByText(/^0 answers are kept/)).toBeTruthy();
    expect(api.of('DELETE /answers')).toHaveLength(1);
    expect((screen.getByText('Forget them') as HTMLButtonElement).disabled).toBe(true);
  });
});
