import { vi } from 'vitest';
import { prefix, type Problem, type SessionState, type Status } from '../../src/api/types';
import { app } from '../../src/lib/app.svelte';

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}
type Answer = unknown | ((call: Call) => unknown);

/** An answer that is a problem. */
export class Refusal {
  constructor(readonly problem: Partial<Problem> & { status: number }) {}
}
export const refuse = (status: number, type: string, part: Partial<Problem> = {}) => new Refusal({ status, type, title: type, ...part });

/**
 * Stands for the appliance: answers by "METHOD /path", notes every call. What
 * has no answer is a 404, so that a component cannot ask for what the test does
 * not know of.
 */
export function serve(answers: Record<string, Answer>) {
  const calls: Call[] = [];
  const fetcher = vi.fn(async (input: RequestInfo | URL, init: RequestInit = {}) => {
    const url = new URL(String(input), 'http://127.0.0.1');
    const call: Call = { method: init.method ?? 'GET', path: url.pathname.slice(prefix.length), query: url.searchParams, body: typeof init.body === 'string' ? JSON.parse(init.body) : init.body };
    calls.push(call);
    const found = answers[`${call.method} ${call.path}`];
    const value = typeof found === 'function' ? await (found as (call: Call) => unknown)(call) : found;
    if (value instanceof Error) throw value;
    if (value instanceof Refusal) return new Response(JSON.stringify(value.problem), { status: value.problem.status, headers: { 'Content-Type': 'application/problem+json' } });
    if (found === undefined) return new Response(JSON.stringify({ type: 'haoke:not-found', title: 'Not found', status: 404, detail: `the test has no ${call.method} ${call.path}` }), { status: 404, headers: { 'Content-Type': 'application/problem+json' } });
    if (value === undefined || value === null) return new Response(null, { status: 204 });
    return new Response(JSON.stringify(value), { status: 200, headers: { 'Content-Type': 'application/json' } });
  });
  vi.stubGlobal('fetch', fetcher);
  return {
    calls,
    answers,
    /** The calls of one route, in order. */
    of: (route: string) => calls.filter((c) => `${c.method} ${c.path}` === route),
  };
}

export const session = (part: Partial<SessionState> = {}): SessionState => ({ state: 'signed_in', claimable: false, operator: { name: 'owner', display: 'Owner', role: 'owner', self: true, created_at: '', sessions: 1 }, site_name: 'Tea house', version: '1.0.0', wizard_done: true, door: 'browser', language: 'auto', theme: 'auto', ...part }) as SessionState;

export const status = (part: Partial<Status> = {}): Status =>
  ({ version: '1.0.0', started_at: '', now: '', state: 'ok', problems: [], answerer: 'upstream', public_url: 'http://127.0.0.1:8787', share_url: 'http://127.0.0.1:8787', admin_url: '', visitors: 2, waiting: 0, oldest_wait_s: 0, unread: 0, answers_today: 0, currency: 'USD', spend_today: 0, spend_cap: 0, saved_today: 0, unanswered: 0, left_messages: 0, restart: [], attached: false, ...part }) as Status;

/** Signs the page in as an owner or an operator, without the live connection. */
export function signIn(role: 'owner' | 'operator' = 'owner'): void {
  app.session = session({ operator: { ...session().operator!, role } });
  app.status = status();
  app.framed = 'http://127.0.0.1:8787';
  app.expired = false;
  app.later = false;
}

/** Brings an event of the live connection to the components. */
export function happen(event: Record<string, unknown>): void {
  for (const listener of (app.events as unknown as { listeners: Set<(e: unknown) => void> }).listeners) listener({ n: 0, at: '', ...event });
}
