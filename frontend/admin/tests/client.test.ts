import { describe, expect, it, vi } from 'vitest';
import { ApiError, Client, pathOf, queryOf, urlOf } from '../src/api/client';

const json = (status: number, body: unknown) => new Response(status === 204 ? null : JSON.stringify(body), { status, headers: { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' } });

function client(answers: (Response | Error)[], hooks: { signedOut?: () => Promise<void> } = {}) {
  const calls: { url: string; init: RequestInit }[] = [];
  const reachable: boolean[] = [];
  const fetcher = async (url: RequestInfo | URL, init?: RequestInit) => {
    calls.push({ url: String(url), init: init ?? {} });
    const next = answers.shift();
    if (!next) throw new Error('no answer left');
    if (next instanceof Error) throw next;
    return next;
  };
  return { calls, reachable, api: new Client({ signedOut: hooks.signedOut ?? (() => Promise.reject(new Error('asked to sign in'))), reachable: (yes) => reachable.push(yes) }, fetcher as typeof fetch) };
}

describe('addresses', () => {
  it('fills in parameters and leaves unset ones out', () => {
    expect(pathOf('/keys/{name}/test', { name: 'a/b' })).toBe('/keys/a%2Fb/test');
    expect(queryOf({ query: 'a b', limit: 50, cursor: '', unanswered: false })).toBe('?query=a+b&limit=50');
    expect(queryOf(undefined)).toBe('');
    expect(urlOf('exportConversation', { params: { id: 'x' }, query: { format: 'csv' } })).toBe('/api/admin/v1/conversations/x/export?format=csv');
  });
});

describe('Client', () => {
  it('sends JSON, and raw bodies as they are', async () => {
    const { api, calls } = client([json(200, {}), json(200, { added: 1 }), json(204, null)]);
    await api.call('signIn', { body: { name: 'a', password: 'b' } });
    expect(calls[0]!.init.body).toBe('{"name":"a","password":"b"}');
    await api.call('importFAQ', { body: 'question,answer' });
    expect(calls[1]!.init.body).toBe('question,answer');
    expect(calls[1]!.init.headers).toEqual({});
    expect(await api.call('dismissUnanswered', { params: { id: 4 } })).toBeUndefined();
  });
  it('gives the problem of a refusal', async () => {
    const { api } = client([json(422, { type: 'haoke:invalid', title: 'Invalid', status: 422, detail: 'No.', field: 'expr' }), new Response('<html>', { status: 502, statusText: 'Bad Gateway' })]);
    await expect(api.call('getStatus')).rejects.toMatchObject({ status: 422, field: 'expr', message: 'No.' });
    await expect(api.call('getStatus')).rejects.toMatchObject({ status: 502, type: 'about:blank' });
  });
  it('waits for a new sign-in and repeats the very call', async () => {
    const signedOut = vi.fn(async () => {});
    const { api, calls } = client([json(401, { type: 'haoke:signed-out', status: 401 }), json(201, { seq: 7 })], { signedOut });
    const message = await api.call('sendMessage', { params: { id: 'c' }, body: { id: 'm1', text: 'typed for a long time', take: true } });
    expect(message.seq).toBe(7);
    expect(signedOut).toHaveBeenCalledTimes(1);
    expect(calls[1]!.init.body).toBe(calls[0]!.init.body);
  });
  it('does not ask to sign in because a sign-in failed', async () => {
    const { api } = client([json(401, { type: 'haoke:signed-out', status: 401 })]);
    await expect(api.call('signIn', { body: { name: '', password: 'x' } })).rejects.toBeInstanceOf(ApiError);
  });
  it('tells a dead appliance from a refusal, and notices its return', async () => {
    const { api, reachable } = client([new TypeError('Failed to fetch'), json(200, {})]);
    await expect(api.call('getStatus')).rejects.toMatchObject({ type: 'network', status: 0 });
    await api.call('getStatus');
    expect(reachable).toEqual([false, true]);
  });
});
