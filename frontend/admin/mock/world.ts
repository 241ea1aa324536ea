import type { Charts, Conversation, LiveEvent, Message, Problem, RouteName, SettingField, Site, StatsTick } from '../src/api/types';
import * as data from './data';
import { settings } from './settings';

type Handler = (this: World, params: Record<string, string>, query: Record<string, string>, body: never) => unknown;

const problem = (status: number, type: string, detail: string, extra: Partial<Problem> = {}) => ({ problem: { type, title: detail, status, detail, ...extra } });
const missing = () => problem(404, 'haoke:not-found', 'There is no such thing.');

/**
 * A small appliance in memory. Scenes: "busy" (a day with visitors), "quiet"
 * (fresh, no provider, nothing in the lists), "wizard" (first run), "signedout",
 * "unclaimed", "trouble" (a refused key and more), "broken" (every list fails).
 */
export class World {
  status = data.status();
  conversations = data.conversations();
  messages = new Map<string, Message[]>(this.conversations.map((c) => [c.id, data.messages(c)]));
  ring = data.keyRing();
  faq = data.faq();
  unanswered = data.unanswered();
  filters = data.filters();
  words = data.words();
  hits = data.hits();
  settings = settings();
  kept = { entries: 128, bytes: 402_000, hits: 61, ttl_s: 3600 };
  look: Site = data.look();
  revision = 7;
  left = data.leftMessages();
  wizard = { done: true, step: 'language', visited: ['language'] as string[], first_answer: false };
  operators = data.operators();
  backups = data.backups();
  session = data.session();
  events: LiveEvent[] = [];
  private n = 100;
  private started = Date.now();
  private scripted = 0;

  constructor(
    readonly scene: string,
    readonly base: string,
  ) {
    this.status.public_url = this.status.share_url = base;
    if (scene === 'signedout' || scene === 'unclaimed') this.session = { ...this.session, state: scene === 'unclaimed' ? 'unclaimed' : 'signed_out', claimable: true };
    if (scene === 'quiet' || scene === 'wizard') this.empty();
    if (scene === 'wizard') {
      this.session.wizard_done = false;
      this.wizard = { done: false, step: 'language', visited: ['language'], first_answer: false };
    }
    if (scene === 'trouble') {
      this.status.state = 'degraded';
      this.status.problems = data.problems();
      const key = this.ring.providers[0]!.keys[1]!;
      Object.assign(key, { state: 'refused', reason: '401: the key was refused. Paste a new one.' });
    }
  }

  private empty(): void {
    this.conversations = [];
    this.faq = [];
    this.unanswered = [];
    this.hits = [];
    this.left = [];
    this.backups = { ...this.backups, items: [] };
    this.ring.providers = [{ ...this.ring.providers[0]!, base_url: '', keys: [] }];
    Object.assign(this.status, { answerer: 'offline', waiting: 0, unread: 0, problems: [], visitors: 0, answers_today: 0, first_token_ms: null, reply_ms: null, spend_today: 0, saved_today: 0, unanswered: 0, left_messages: 0, oldest_wait_s: 0 });
  }

  answer(name: RouteName, params: Record<string, string>, query: Record<string, string>, body: unknown): unknown {
    if (this.session.state !== 'signed_in' && !['getSession', 'signIn', 'claim', 'signOut', 'signInByTicket'].includes(name)) return problem(401, 'haoke:signed-out', 'Sign in first.');
    if (this.scene === 'broken' && /^(list|get(Charts|Archive|Filters|Settings|Widget|Updates|About))/.test(name)) return problem(500, 'about:blank', 'The database could not be read.', { hint: 'See the log.' });
    const handler = handlers[name];
    return handler ? handler.call(this, params, query, body as never) : problem(501, 'about:blank', `${name} is not in the fixtures.`);
  }

  emit(event: Omit<LiveEvent, 'n' | 'at'>, keep = true): void {
    this.events.push({ ...event, n: keep ? ++this.n : 0, at: new Date().toISOString() });
    if (this.events.length > 400) this.events.splice(0, 200);
  }

  find(id: string): Conversation | undefined {
    return this.conversations.find((c) => c.id === id);
  }

  poll(after: number, watch: string): { events: LiveEvent[]; last: number; gap: boolean } {
    const events: LiveEvent[] = after ? this.events.filter((e) => e.n > after) : [];
    events.push({ n: 0, type: 'stats', at: new Date().toISOString(), stats: this.tick(Math.floor(Date.now() / 1000)) });
    const head = this.find(watch);
    if (head?.answering && this.scene !== 'quiet') {
      const words = data.streamed.split(/(?<=[ ,.，。])/);
      const upTo = Math.min(words.length, 6 + Math.floor(this.scripted++ * 1.5));
      events.push({ n: 0, type: 'draft', at: new Date().toISOString(), id: watch, draft: { seq: head.last_seq + 1, part: 0, text: words.slice(0, upTo).join('') } });
    }
    return { events, last: this.n, gap: false };
  }

  tick(t: number): StatsTick {
    const values: StatsTick['values'] = {};
    for (const name of Object.keys(data.shapes)) values[name] = this.value(name, t);
    return { t, values };
  }

  value(name: string, t: number): number | null {
    if (this.scene === 'quiet' || this.scene === 'wizard') return /^(memory|cpu|sqlite_bytes)$/.test(name) ? data.shapes[name]!(t) : name === 'connections' ? 0 : null;
    return data.shapes[name]?.(t) ?? null;
  }

  charts(query: Record<string, string>): Charts {
    const to = Number(query.to) || Math.floor(Date.now() / 1000);
    const from = Number(query.from) || to - 3600;
    const step = parseInt(query.step ?? '') || Math.max(1, Math.round((to - from) / 360));
    const t: number[] = [];
    for (let s = from - (from % step); s <= to; s += step) t.push(s);
    // The appliance was off for a while: gaps stay gaps.
    const gap = (s: number) => s > from + (to - from) * 0.28 && s < from + (to - from) * 0.31;
    return { from, to, step, t, series: (query.series ?? '').split(',').map((name) => ({ name, unit: 'count', values: t.map((s) => (gap(s) ? null : this.value(name, s))) })) };
  }

  setting(path: string): SettingField | undefined {
    return this.settings.fields.find((f) => f.path === path);
  }

  get age(): number {
    return Date.now() - this.started;
  }
}

const handlers: Partial<Record<RouteName, Handler>> = {
  getSession() {
    return this.session;
  },
  signIn(_p, _q, body: { password: string }) {
    if (body.password !== 'correct horse') return problem(401, 'haoke:invalid', 'Name or password is wrong.', { field: 'password' });
    this.session.state = 'signed_in';
    return this.session;
  },
  claim(_p, _q, body: { token: string }) {
    if (body.token !== '123456') return problem(422, 'haoke:invalid', 'The token is wrong or has expired.', { field: 'token', hint: 'Restart the service for a new one.' });
    this.session.state = 'signed_in';
    return this.session;
  },
  signOut() {
    this.session.state = 'signed_out';
  },
  getStatus() {
    return { ...this.status, now: new Date().toISOString() };
  },
  pause(_p, _q, body: { paused: boolean }) {
    this.status.state = body.paused ? 'paused' : 'ok';
    return this.status;
  },
  getCharts(_p, query) {
    return this.charts(query);
  },
  listSeries() {
    return { items: Object.keys(data.shapes).map((name) => ({ name, unit: 'count' })) };
  },
  getLiveTicket() {
    return { ticket: 'x', url: 'ws://127.0.0.1:9/', expires_at: new Date().toISOString() };
  },
  pollLive(_p, query) {
    return this.poll(Number(query.after ?? 0), query.watch ?? '');
  },
  listConversations(_p, query) {
    const text = (query.query ?? '').toLowerCase();
    const state = query.state ?? 'open';
    const items = this.conversations.filter((c) => {
      if (query.unanswered && !c.unanswered) return false;
      if (query.rating && !(c.rating && c.rating <= Number(query.rating))) return false;
      if (text && !`${c.label ?? ''} ${c.last_text}`.toLowerCase().includes(text)) return false;
      if (state === 'all') return true;
      if (state === 'archived') return c.archived;
      if (state === 'blocked') return c.blocked;
      if (state === 'unread') return c.unread > 0;
      return !c.archived && !c.blocked && (state === 'open' || c.mode === state);
    });
    return { items: items.slice(0, Number(query.limit) || 50), counts: { open: this.conversations.filter((c) => !c.archived && !c.blocked).length, waiting: 1, unread: 2 } };
  },
  getConversation(params) {
    const conversation = this.find(params.id!);
    return conversation ? { conversation, messages: this.messages.get(conversation.id) ?? [], earlier: false, ...(conversation.answering ? { draft: { seq: conversation.last_seq + 1, part: 0, text: data.streamed.slice(0, 60) } } : {}) } : missing();
  },
  listMessages() {
    return { items: [], earlier: false };
  },
  sendMessage(params, _q, body: { id: string; text: string }) {
    const head = this.find(params.id!);
    if (!head) return missing();
    const message: Message = { seq: ++head.last_seq, from: 'operator', author: 'Lin', text: body.text, at: new Date().toISOString(), id: body.id };
    this.messages.get(head.id)!.push(message);
    Object.assign(head, { mode: 'human', operator: 'owner', last_text: body.text, last_from: 'operator', updated_at: message.at, answering: false, unread: 0 });
    this.emit({ type: 'conversation', conversation: { ...head } });
    return message;
  },
  setMode(params, _q, body: { mode: Conversation['mode'] }) {
    const head = this.find(params.id!);
    if (!head) return missing();
    Object.assign(head, { mode: body.mode, operator: body.mode === 'human' ? 'owner' : '', answering: false });
    if (this.status.waiting_id === head.id) Object.assign(this.status, { waiting: 0, waiting_id: '' });
    this.emit({ type: 'conversation', conversation: { ...head } });
    this.emit({ type: 'status', status: this.status });
    return head;
  },
  setBlocked(params, _q, body: { blocked: boolean }) {
    return Object.assign(this.find(params.id!) ?? {}, { blocked: body.blocked });
  },
  archiveConversation(params) {
    return Object.assign(this.find(params.id!) ?? {}, { archived: true });
  },
  deleteConversation(params) {
    this.conversations = this.conversations.filter((c) => c.id !== params.id);
    this.emit({ type: 'gone', id: params.id! });
  },
  stopAnswer(params) {
    Object.assign(this.find(params.id!) ?? {}, { answering: false });
  },
  markRead() {},
  markTyping() {},
  getFile() {
    return { file: '' };
  },
  getAnswerCache() {
    return { ...this.kept };
  },
  purgeAnswers() {
    return Object.assign(this.kept, { entries: 0, bytes: 0 });
  },
  getTrace(params) {
    const message = this.messages.get(params.id!)?.find((m) => m.seq === Number(params.seq));
    return message?.turn ? data.trace(message) : missing();
  },
  exportConversation() {
    return { file: '{}' };
  },
  listLeftMessages(_p, query) {
    return { items: this.left.filter((m) => m.done === (query.done === 'true')) };
  },
  changeLeftMessage(params, _q, body: { done: boolean }) {
    return Object.assign(this.left.find((m) => m.id === Number(params.id)) ?? {}, body);
  },
  listPresets() {
    return { items: data.presets };
  },
  listKeys() {
    return this.ring;
  },
  testKey(params) {
    return params.name === 'backup' ? data.refused : data.worked;
  },
  probeKey(_p, _q, body: { base_url: string; value: string }) {
    if (!/\/v\d/.test(body.base_url)) return { ...data.refused, fault: 'request', status: 404, text: `404 from ${body.base_url}: this is not the API's address.`, hint: 'It usually ends in /v1.', base_url: `${body.base_url.replace(/\/$/, '')}/v1` };
    return body.value.startsWith('bad') ? data.refused : data.worked;
  },
  addKey(_p, _q, body: { name: string; provider: string; value: string }) {
    const provider = this.ring.providers.find((p) => p.name === (body.provider || 'main')) ?? this.ring.providers[0]!;
    const key = { ...data.key(body.name || `key ${provider.keys.length + 1}`, provider.name), masked: `…${body.value.slice(-4)}`, state: 'idle' };
    provider.keys.push(key);
    return key;
  },
  changeKey(params, _q, body: { enabled?: boolean }) {
    const key = this.ring.providers.flatMap((p) => p.keys).find((k) => k.name === params.name);
    if (!key) return missing();
    if (body.enabled !== undefined) Object.assign(key, { enabled: body.enabled, state: body.enabled ? 'ok' : 'off' });
    return key;
  },
  deleteKey(params) {
    for (const p of this.ring.providers) p.keys = p.keys.filter((k) => k.name !== params.name);
  },
  changeProvider(params, _q, body: { base_url: string; model: string; preset: string }) {
    this.status.answerer = body.base_url ? 'upstream' : 'offline';
    return Object.assign(this.ring.providers.find((p) => p.name === params.name) ?? {}, body);
  },
  addProvider(_p, _q, body: object) {
    const provider = { ...this.ring.providers[0]!, keys: [], locked: [], ...body };
    this.ring.providers.push(provider);
    return provider;
  },
  orderKeys() {
    return this.ring;
  },
  getSettings() {
    return this.settings;
  },
  patchSetting(_p, _q, body: { path: string; value?: unknown; reset?: boolean; revision: number }) {
    const field = this.setting(body.path);
    if (!field) return missing();
    if (field.locked) return problem(409, 'haoke:locked', `Set in ${field.source}.`, { field: body.path });
    if (body.revision >= 0 && body.revision !== field.revision) return problem(409, 'haoke:conflict', 'Changed meanwhile.', { current: field });
    const previous = field.source === 'window' ? { [body.path]: field.value } : {};
    Object.assign(field, { value: body.reset ? field.default : field.secret ? (body.value ? 'set' : '') : body.value, source: body.reset ? 'default' : 'window', revision: ++this.settings.revision });
    if (field.restart) this.settings.restart = [...new Set([...this.settings.restart, body.path])];
    return { revision: this.settings.revision, fields: [field], previous, restart: this.settings.restart, warnings: [] };
  },
  putSettings(_p, _q, body: { values: Record<string, unknown> }) {
    const fields = Object.entries(body.values).flatMap(([path, value]) => {
      const field = this.setting(path);
      return field ? [Object.assign(field, { value, source: 'window' })] : [];
    });
    return { revision: ++this.settings.revision, fields, previous: {}, restart: [], warnings: [] };
  },
  checkAddr(_p, _q, body: { addr: string }) {
    return body.addr.endsWith(':80') ? { free: false, ours: false, by: 'nginx', suggest: '127.0.0.1:8789' } : { free: true, ours: body.addr.endsWith(':8787') };
  },
  getWidget() {
    return data.widget(this.look, this.revision, this.base);
  },
  putWidget(_p, _q, body: { look: Site; revision: number }) {
    if (body.revision >= 0 && body.revision !== this.revision) return problem(409, 'haoke:conflict', 'Changed meanwhile.', { current: data.widget(this.look, this.revision, this.base) });
    this.look = body.look;
    this.revision++;
    return data.widget(this.look, this.revision, this.base);
  },
  testOrigin(_p, _q, body: { url: string }) {
    const allowed = body.url.includes('shop.example');
    return { allowed, origin: body.url, text: allowed ? `${body.url} may embed the widget.` : `${body.url} may not embed the widget: it is not in the list.` };
  },
  getWizard() {
    return this.wizard;
  },
  putWizard(_p, _q, body: { step: string; done: boolean }) {
    this.wizard = { ...this.wizard, ...body, visited: [...new Set([...this.wizard.visited, body.step])] };
    if (body.done) this.session.wizard_done = true;
    return this.wizard;
  },
  listFAQ(_p, query) {
    const text = (query.query ?? '').toLowerCase();
    const items = this.faq.filter((e) => (!query.lang || e.lang === query.lang) && `${e.question} ${e.answer}`.toLowerCase().includes(text));
    return { items, total: this.faq.length, langs: ['en', 'zh'] };
  },
  addFAQ(_p, _q, body: { unanswered?: number }) {
    const entry = { ...data.entry(this.faq.length + 1, 'en', '', ''), ...body };
    this.faq.unshift(entry);
    this.unanswered = this.unanswered.filter((u) => u.id !== body.unanswered);
    return entry;
  },
  changeFAQ(params, _q, body: object) {
    return Object.assign(this.faq.find((e) => e.id === Number(params.id)) ?? {}, body);
  },
  deleteFAQ(params) {
    this.faq = this.faq.filter((e) => e.id !== Number(params.id));
  },
  testFAQ(_p, _q, body: { question: string }) {
    const matches = this.faq.slice(0, 3).map((e, i) => ({ id: e.id, lang: e.lang, question: e.question, score: [0.91, 0.44, 0.18][i]! }));
    const found = !/dog|狗/.test(body.question) && this.faq.length > 0;
    return { found, threshold: 0.55, answer: found ? this.faq[0]!.answer : 'I am not sure about that. Shall I ask a person?', matches, us: 412 };
  },
  listUnanswered() {
    return { items: this.unanswered };
  },
  dismissUnanswered(params) {
    this.unanswered = this.unanswered.filter((u) => u.id !== Number(params.id));
  },
  importFAQ() {
    return data.importReport;
  },
  exportFAQ() {
    return { file: 'question,answer\r\n' };
  },
  getFilters() {
    return this.filters;
  },
  setFilterConfig(_p, _q, body: object) {
    Object.assign(this.filters.config, body);
    return this.filters.config;
  },
  testFilters(_p, _q, body: { text: string; direction: string; review: boolean }) {
    return data.filterTest(body.text, body.review);
  },
  changeDetector(params, _q, body: object) {
    return Object.assign(this.filters.detectors.find((d) => d.name === params.name) ?? {}, body);
  },
  listWords(params, query) {
    const all = (this.words.get(Number(params.id)) ?? []).filter((w) => w.includes((query.query ?? '').toLowerCase()));
    const from = Number(query.cursor) || Number(query.skip) || 0;
    const limit = Number(query.limit) || 200;
    return { items: all.slice(from, from + limit), total: all.length, ...(from + limit < all.length ? { next: String(from + limit) } : {}) };
  },
  editWords(params, _q, body: { add: string[]; remove: string[] }) {
    const list = (this.words.get(Number(params.id)) ?? []).filter((w) => !body.remove.includes(w));
    this.words.set(Number(params.id), [...new Set([...list, ...body.add])].sort());
    return { ...data.importReport, added: body.add.length, updated: 0, notes: [] };
  },
  addWordList(_p, _q, body: object) {
    const list = { ...this.filters.lists[0]!, id: 90 + this.filters.lists.length, count: 0, source: 'own', read_only: false, ...body };
    this.filters.lists.push(list);
    this.words.set(list.id, []);
    return list;
  },
  changeWordList(params, _q, body: object) {
    return Object.assign(this.filters.lists.find((l) => l.id === Number(params.id)) ?? {}, body);
  },
  deleteWordList(params) {
    this.filters.lists = this.filters.lists.filter((l) => l.id !== Number(params.id));
  },
  importWords() {
    return data.importReport;
  },
  exportWords() {
    return { file: '' };
  },
  addPattern(_p, _q, body: object) {
    const pattern = { ...this.filters.patterns[0]!, id: 50 + this.filters.patterns.length, hits: 0, read_only: false, ...body };
    this.filters.patterns.push(pattern);
    return pattern;
  },
  changePattern(params, _q, body: object) {
    return Object.assign(this.filters.patterns.find((p) => p.id === Number(params.id)) ?? {}, body);
  },
  deletePattern(params) {
    this.filters.patterns = this.filters.patterns.filter((p) => p.id !== Number(params.id));
  },
  checkPattern(_p, _q, body: { expr: string }) {
    const ok = !/\($|\[$|\(\?=/.test(body.expr);
    return { ok, ...(ok ? {} : { error: 'missing closing ) or unsupported look-ahead' }), at: ok ? -1 : body.expr.length, cost: body.expr.length * 3, cost_max: 1000, ...(ok ? { literal: body.expr.replace(/[^a-z].*$/i, '') } : {}), spans: [] };
  },
  listHits(_p, query) {
    return { items: this.hits.filter((h) => !query.layer || h.layer === query.layer), top: [{ layer: 'words', rule: 'casino', count: 41 }, { layer: 'patterns', rule: 'phone', count: 17 }] };
  },
  addException(_p, _q, body: { text: string; rule: string; also?: string[] }) {
    const made = [body.text, ...(body.also ?? [])].map((text, i) => ({ id: Date.now() + i, text, rule: body.rule, at: new Date().toISOString(), by: 'owner' }));
    this.filters.exceptions.unshift(...made);
    return made[0];
  },
  markFalsePositive(params) {
    const hit = this.hits.find((h) => h.id === Number(params.id));
    if (!hit) return missing();
    hit.false_positive = true;
    const exception = { id: hit.id, text: hit.match, rule: hit.rule, at: new Date().toISOString(), by: 'owner' };
    this.filters.exceptions.push(exception);
    return exception;
  },
  deleteException(params) {
    this.filters.exceptions = this.filters.exceptions.filter((e) => e.id !== Number(params.id));
  },
  getArchive() {
    return data.archive(this.scene === 'quiet');
  },
  testArchive() {
    return data.archiveTest;
  },
  runArchive() {
    return { sealed: 12, shipped: 37 };
  },
  listLogs(_p, query) {
    return data.logs(query.level ?? 'info', query.query ?? '');
  },
  listBackups() {
    return this.backups;
  },
  addBackup(_p, _q, body: { passphrase: string }) {
    const backup = { ...data.backups().items[0]!, name: `haoke-${Date.now()}.hkb`, at: new Date().toISOString(), encrypted: body.passphrase !== '', auto: false };
    this.backups.items.unshift(backup);
    return backup;
  },
  verifyBackup(params, _q, body: { passphrase: string }) {
    const backup = this.backups.items.find((b) => b.name === params.name);
    if (!backup) return missing();
    if (backup.encrypted && body.passphrase !== 'open') return problem(422, 'haoke:invalid', 'The passphrase does not open this backup.', { field: 'passphrase' });
    return Object.assign(backup, { verified_at: new Date().toISOString() });
  },
  stageRestore(params) {
    return (this.backups.staged = { name: params.name!, at: new Date().toISOString(), conversations: 4210, version: '1.0.0' });
  },
  cancelRestore() {
    delete this.backups.staged;
  },
  deleteBackup(params) {
    this.backups.items = this.backups.items.filter((b) => b.name !== params.name);
  },
  listOperators() {
    return { items: this.operators };
  },
  addOperator(_p, _q, body: { name: string }) {
    const operator = { ...data.operators()[1]!, sessions: 0, ...body };
    this.operators.push(operator);
    return operator;
  },
  changeOperator(params, _q, body: object) {
    return Object.assign(this.operators.find((o) => o.name === params.name) ?? {}, body);
  },
  removeOperator(params) {
    this.operators = this.operators.filter((o) => o.name !== params.name);
  },
  changePassword() {},
  getUpdates() {
    return { current: '1.0.0', enabled: true, can_apply: false, checked_at: new Date(Date.now() - 7.2e6).toISOString() };
  },
  checkUpdates() {
    return { current: '1.0.0', latest: '1.1.0', notes: 'Answers come faster.\nThe archive takes half the room.', notes_zh: '回答更快。\n归档占用的空间减半。', url: 'https://example.com/haoke', enabled: true, can_apply: true, checked_at: new Date().toISOString() };
  },
  getAbout() {
    return data.about;
  },
};
