import type {
  About, ArchiveStatus, ArchiveTest, Backups, Conversation, FAQEntry, FilterHit, Filters, FilterTestResult, ImportReport, Key, KeyRing, KeyTest, LeftMessage, LogPage, Message, Operator, Preset, SessionState, Site, Status, Trouble, TurnInfo, TurnTrace, Unanswered, WidgetState,
} from '../src/api/types';

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const id = (n: number) => (n * 2654435761 >>> 0).toString(16).padStart(8, '0').repeat(4);

export const session = (): SessionState => ({
  state: 'signed_in',
  door: 'browser',
  operator: { name: 'owner', display: 'Lin', role: 'owner', created_at: ago(90000), seen_at: ago(1), sessions: 1, self: true },
  product: 'Haoke',
  version: '1.0.0',
  site_name: 'Morning Hill Tea',
  wizard_done: true,
  language: 'auto',
  theme: 'auto',
});

export const status = (): Status => ({
  version: '1.0.0', started_at: ago(4000), now: ago(0), state: 'ok', problems: [], answerer: 'upstream', public_url: '', share_url: '', admin_url: '', visitors: 12, waiting: 1, oldest_wait_s: 131, waiting_id: id(3), unread: 2, answers_today: 214, first_token_ms: 642, reply_ms: 2110, currency: 'USD', spend_today: 3.2, spend_cap: 20, saved_today: 0.61, unanswered: 4, left_messages: 2, restart: [], attached: false,
});

export const problems = (): Trouble[] => [
  { code: 'key_refused', level: 'bad', text: 'Key backup was refused (401). Replace it.', args: { key: 'backup', status: '401' }, page: 'keys/backup' },
  { code: 'budget_near', level: 'warn', text: '80 % of the money of today is spent.', args: { percent: '80' }, page: 'settings/limits.daily_spend' },
  { code: 'origins_any', level: 'warn', text: 'Any page may embed the widget.', page: 'settings/server.allowed_origins' },
];

const wave = (t: number, period: number, phase = 0) => Math.sin((2 * Math.PI * t) / period + phase);
const noise = (t: number, seed: number) => {
  const x = Math.sin(t * 12.9898 + seed * 78.233) * 43758.5453;
  return x - Math.floor(x);
};
const load = (t: number) => 0.55 + 0.3 * wave(t, 5400) + 0.12 * wave(t, 1300, 1) + 0.08 * (noise(t, 1) - 0.5);

/** Series as a believable shop makes them. */
export const shapes: Record<string, (t: number) => number> = {
  connections: (t) => Math.max(0, Math.round(22 * load(t))),
  messages_in: (t) => Math.max(0, 0.5 * load(t) + 0.25 * (noise(t, 2) - 0.5)),
  messages_out: (t) => Math.max(0, 0.48 * load(t - 3) + 0.2 * (noise(t, 3) - 0.5)),
  first_token_p50: (t) => 0.58 + 0.1 * load(t) + 0.05 * noise(t, 4),
  first_token_p95: (t) => 0.98 + 0.4 * load(t) + 0.2 * noise(t, 5),
  first_token_p99: (t) => 1.4 + 0.7 * load(t) + 0.7 * noise(t, 6) ** 3,
  reply_p50: (t) => 1.9 + 0.4 * load(t) + 0.15 * noise(t, 7),
  reply_p95: (t) => 3.3 + 0.9 * load(t) + 0.5 * noise(t, 8),
  reply_p99: (t) => 4.6 + 1.3 * load(t) + 1.6 * noise(t, 9) ** 3,
  queue_vip: () => 0,
  queue_ordinary: (t) => Math.max(0, Math.round(6 * (load(t) - 0.72) * 4)),
  queue_background: (t) => Math.round(2 * noise(Math.floor(t / 60), 10)),
  upstream_2xx: (t) => 26 * load(t),
  upstream_429: (t) => (load(t) > 0.86 ? 2.4 * noise(t, 11) : 0),
  upstream_4xx: () => 0,
  upstream_5xx: (t) => (noise(Math.floor(t / 120), 12) > 0.94 ? 0.8 : 0),
  upstream_inflight: (t) => Math.round(4 * load(t)),
  admit_rate: (t) => 48 - (load(t) > 0.84 ? 12 * (load(t) - 0.8) * 5 : 0),
  merged: (t) => 2.1 * load(t) * noise(Math.floor(t / 30), 13),
  cache_hits: (t) => 3.4 * load(t),
  saved_money: (t) => 0.002 * load(t),
  tokens_prompt: (t) => 21000 * load(t),
  tokens_completion: (t) => 5200 * load(t),
  spend: (t) => 0.01 * load(t),
  spend_today: (t) => 3.2 - (Math.floor(Date.now() / 1000) - t) * 0.00012,
  filter_hits_words: (t) => (noise(Math.floor(t / 40), 14) > 0.7 ? 1.5 * noise(t, 15) : 0),
  filter_hits_patterns: (t) => (noise(Math.floor(t / 55), 16) > 0.8 ? 1 : 0),
  filter_hits_review: () => 0,
  filter_seconds_words: (t) => 0.0000011 + 0.0000003 * noise(t, 17),
  filter_seconds_patterns: (t) => 0.0000024 + 0.0000009 * noise(t, 18),
  filter_seconds_review: () => 0,
  memory: (t) => 61e6 + 6e6 * load(t),
  cpu: (t) => Math.max(0.4, 3.4 * load(t) + noise(t, 19)),
  sqlite_bytes: (t) => 48.2e6 + (t % 86400) * 20,
  cold_pending: (t) => Math.round(14 * Math.max(0, wave(t, 2600))),
  cold_ratio: () => 14.2,
  sessions_hot: (t) => 380 + Math.round(40 * load(t)),
};

const iPhone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1';
const chrome = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36';
const wechat = 'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36 MicroMessenger/8.0';

export function conversations(): Conversation[] {
  const make = (n: number, minutes: number, last: string, part: Partial<Conversation> = {}): Conversation => ({
    id: id(n), site: 'default', mode: 'ai', version: 6, last_seq: 6, created_at: ago(minutes + 9), updated_at: ago(minutes), visitor: { locale: 'en', ip: '203.0.113.0', agent: chrome }, page: { url: 'https://morninghill.example/tea/longjing', title: 'Longjing, spring 2026 · Morning Hill Tea' }, online: minutes < 6, answering: false, unread: 0, spend: 0.0021, tokens: 3120, last_text: last, last_from: 'ai', blocked: false, unanswered: false, archived: false, shipped: false, ...part,
  });
  const list = [
    make(1, 0.3, 'Do you ship the gaiwan set to Norway before Christmas?', { label: 'Ingrid Solberg', visitor: { name: 'Ingrid Solberg', email: 'ingrid@example.no', sub: 'c-20418', locale: 'nb', agent: iPhone, ip: '198.51.100.0', facts: { answers: { phone: '+47 555 01 02', 'Order number': '20418' }, attributes: { cart: '2 items', plan: 'returning' }, tags: ['gift', 'export'], events: [{ at: ago(1), name: 'added to cart', data: 'gaiwan set' }], pages: [{ at: ago(3), url: 'https://morninghill.example/', title: 'Morning Hill Tea' }, { at: ago(2), url: 'https://morninghill.example/gaiwan', title: 'Gaiwan set' }] } }, answering: true, last_from: 'visitor' }),
    make(3, 2.2, '我想和真人聊一下发票的事', { mode: 'waiting', last_from: 'visitor', unread: 2, visitor: { locale: 'zh-CN', agent: wechat } }),
    make(2, 4, 'The 100 g tin keeps for eighteen months unopened.', { visitor: { locale: 'en', agent: chrome } }),
    make(4, 9, 'I will check with the workshop and come back to you today.', { mode: 'human', operator: 'owner', last_from: 'operator', label: 'Marta Rossi', visitor: { name: 'Marta Rossi', vip: true, email: 'marta@example.it', locale: 'it', agent: chrome } }),
    make(5, 17, '可以的，收到后七天内都能退换。', { visitor: { locale: 'zh-CN', agent: iPhone } }),
    make(6, 26, 'I am not sure about that. Shall I ask a person?', { unanswered: true, rating: 2, comment: 'Did not know about wholesale samples.' }),
    make(7, 43, 'Opening hours are 10 to 18, Monday to Saturday.'),
    make(8, 71, 'Is the celadon cup dishwasher safe?', { unread: 1, last_from: 'visitor' }),
    make(9, 96, 'You can pay by card, PayPal or bank transfer.', { rating: 5 }),
    make(10, 140, 'Our oolong is roasted over charcoal in small batches.', { label: 'Tomás Varela', visitor: { name: 'Tomás Varela', locale: 'es', agent: iPhone } }),
    make(11, 210, '龙井春茶已经到货，欢迎选购。', { visitor: { locale: 'zh-CN', agent: wechat } }),
    make(12, 260, 'buy followers cheap now', { blocked: true, last_from: 'visitor' }),
    make(13, 2900, 'Thank you, it arrived in perfect shape!', { archived: true, shipped: true, last_from: 'visitor', rating: 5 }),
  ];
  for (let n = 14; n < 34; n++) list.push(make(n, 300 + n * 61, ['Yes, gift wrapping is free.', 'The parcel left us this morning.', '发票会随邮件发送。', 'Shipping within the EU takes two to four days.'][n % 4]!));
  return list;
}

const turn = (part: Partial<TurnInfo> = {}): TurnInfo => ({ provider: 'main', key: 'main', model: 'gpt-4o-mini', prompt: 702, completion: 110, cost: 0.0004, filter_us: 96, prompt_us: 1210, queue_us: 0, first_us: 640_000, total_us: 2_110_000, ...part });

export const streamed = 'Yes, we do. Parcels to Norway leave us every weekday and take five to seven working days, so an order placed by 12 December arrives before Christmas. The gaiwan set travels in a padded wooden box; if a cup should break, we replace it. Customs: up to 350 NOK nothing is due.';

export function messages(head: Conversation): Message[] {
  const at = (m: number) => new Date(new Date(head.updated_at).getTime() - m * 60_000).toISOString();
  if (head.visitor.locale === 'zh-CN' && head.mode === 'waiting')
    return [
      { seq: 1, from: 'visitor', text: '你好，请问可以开发票吗？', at: at(6), id: 'a' },
      { seq: 2, from: 'ai', text: '可以的。下单时勾选“需要发票”并填写抬头，电子发票会在发货后 24 小时内发到您的邮箱。', at: at(5.9), finish: 'stop', turn: turn({ provider: 'offline', key: '', model: '', prompt: 0, completion: 0, cost: 0, first_us: 4100, total_us: 61_000, prompt_us: 420 }), sources: [{ title: '可以开发票吗？' }] },
      { seq: 3, from: 'visitor', text: '我上周的订单忘了勾选，订单号 20418，能补开吗？我的电话是 138****5678', at: at(3), mark: 'masked' },
      { seq: 4, from: 'ai', text: '补开需要核对订单，我请同事来帮您。', at: at(2.9), finish: 'stop', turn: turn({ hits: [{ layer: 'patterns', rule: 'phone', action: 'mask', start: 0, end: 11 }] }) },
      { seq: 5, from: 'system', text: '已为您转接真人客服，请稍候。', at: at(2.8) },
      { seq: 6, from: 'visitor', text: '我想和真人聊一下发票的事', at: at(0) },
    ];
  const list: Message[] = [
    { seq: 1, from: 'visitor', text: 'Good evening! I am looking for a present for my mother. She drinks green tea every morning.', at: at(8), id: 'a' },
    { seq: 2, from: 'ai', text: 'Good evening, what a lovely idea. For a daily green tea I would look at the Longjing of this spring: soft, nutty, forgiving when it brews a minute too long. The 100 g tin comes with a small bamboo scoop.', at: at(7.8), finish: 'stop', turn: turn() },
    { seq: 3, from: 'visitor', text: 'She has plenty of tins. Something to drink from?', at: at(4) },
    { seq: 4, from: 'ai', text: 'Then the celadon gaiwan set: one gaiwan and two cups, wheel-thrown in Longquan, 68 euros. It holds 130 ml, just right for one person who pours often.', at: at(3.8), finish: 'stop', turn: turn({ queue_us: 41_000, first_us: 702_000, total_us: 2_600_000, merged: false }), sources: [{ title: 'Which gaiwan for one person?', url: 'https://morninghill.example/faq' }] },
  ];
  if (head.mode === 'human') list.push({ seq: 5, from: 'visitor', text: 'Could the workshop engrave a name on the lid?', at: at(2) }, { seq: 6, from: 'operator', author: 'Lin', text: head.last_text, at: at(0) });
  else if (head.last_from === 'visitor') list.push({ seq: 5, from: 'visitor', text: 'That sounds right.', at: at(0.4) }, { seq: 6, from: 'visitor', text: head.last_text, at: at(0) });
  else list.push({ seq: 5, from: 'visitor', text: 'One more thing, please.', at: at(1) }, { seq: 6, from: 'ai', text: head.last_text, at: at(0), finish: 'stop', turn: turn({ cached: true, cost: 0, total_us: 90_000, first_us: 2100 }) });
  return list;
}

export const trace = (message: Message): TurnTrace => ({
  seq: message.seq,
  turn: message.turn!,
  prompt: [
    { role: 'system', content: 'You answer visitors of Morning Hill Tea, a small shop for tea and ceramics. Answer in the language of the visitor, in at most four sentences.' },
    { role: 'user', content: 'She has plenty of tins. Something to drink from?' },
  ],
  passages: [
    { kind: 'faq', title: 'Which gaiwan for one person?', text: 'The celadon gaiwan holds 130 ml.', score: 0.82 },
    { kind: 'message', text: 'I am looking for a present for my mother.', score: 0.61, seq: 1 },
  ],
  parts: [{ name: 'instructions', tokens: 212 }, { name: 'pinned start', tokens: 38 }, { name: 'recalled', tokens: 174 }, { name: 'latest turns', tokens: 278 }],
});

export const key = (name: string, provider: string, part: Partial<Key> = {}): Key => ({
  name, provider, masked: 'sk-…4f2a', source: 'window', locked: false, enabled: true, weight: 1, state: 'ok', requests: { used: 0, configured: 0, learned: 0 }, tokens: { used: 0, configured: 0, learned: 0 }, admit_rate: null, in_flight: 0, spend_today: 0, calls_today: 0, errors_today: 0, first_token_ms: null, created_at: ago(40000), ...part,
});

export const keyRing = (): KeyRing => ({
  store: 'keychain', currency: 'USD', in_flight: 3, in_flight_max: 500, queue: { vip: 0, ordinary: 2, background: 1 },
  providers: [
    {
      name: 'main', preset: 'openai', base_url: 'https://api.openai.com/v1', model: 'gpt-4o-mini', models: {}, enabled: true, state: 'ok', locked: [],
      keys: [
        key('main', 'main', { requests: { used: 212, configured: 500, learned: 480 }, tokens: { used: 98_400, configured: 200_000, learned: 0 }, admit_rate: 46.2, spend_today: 2.71, calls_today: 1204, errors_today: 3, first_token_ms: 640, checked_at: ago(12) }),
        key('backup', 'main', { masked: 'sk-…91cd', state: 'cooling', reason: '429: too many requests', until: new Date(Date.now() + 42_000).toISOString(), requests: { used: 58, configured: 0, learned: 60 }, tokens: { used: 39_000, configured: 0, learned: 40_000 }, admit_rate: 12.5, spend_today: 0.49, calls_today: 231, errors_today: 17, first_token_ms: 810 }),
      ],
    },
    {
      name: 'deepseek', preset: 'deepseek', base_url: 'https://api.deepseek.com/v1', model: 'deepseek-chat', models: { 'gpt-4o-mini': 'deepseek-chat' }, enabled: true, state: 'ok', locked: [],
      keys: [key('fallback', 'deepseek', { masked: 'sk-…c07e', source: 'config.toml:31', locked: true, state: 'idle' })],
    },
  ],
});

const preset = (pid: string, name: string, base_url: string, models: string[], region: string, need_key = true): Preset => ({ id: pid, name, base_url, models, keys_url: need_key ? `https://${new URL(base_url).host.replace(/^api\./, 'platform.')}/` : '', need_key, region });
export const presets: Preset[] = [
  preset('openai', 'OpenAI', 'https://api.openai.com/v1', ['gpt-4o-mini', 'gpt-4o', 'gpt-4.1-mini'], 'global'),
  preset('openrouter', 'OpenRouter', 'https://openrouter.ai/api/v1', ['openai/gpt-4o-mini'], 'global'),
  preset('deepseek', 'DeepSeek', 'https://api.deepseek.com/v1', ['deepseek-chat'], 'cn'),
  preset('moonshot', 'Moonshot Kimi', 'https://api.moonshot.cn/v1', ['moonshot-v1-8k'], 'cn'),
  preset('dashscope', 'Alibaba Qwen', 'https://dashscope.aliyuncs.com/compatible-mode/v1', ['qwen-plus'], 'cn'),
  preset('ollama', 'Ollama', 'http://127.0.0.1:11434/v1', ['llama3.2'], 'local', false),
];

export const worked: KeyTest = { ok: true, text: 'Works.', model: 'gpt-4o-mini', models: ['gpt-4o-mini', 'gpt-4o', 'gpt-4.1-mini'], steps: [{ name: 'dns', ok: true, ms: 4 }, { name: 'connect', ok: true, ms: 21 }, { name: 'tls', ok: true, ms: 38 }, { name: 'models', ok: true, ms: 190 }, { name: 'chat', ok: true, ms: 640 }], first_token_ms: 640, total_ms: 893, rpm: 500, tpm: 200_000 };
export const refused: KeyTest = { ok: false, fault: 'auth', status: 401, text: '401 from https://api.openai.com/v1: the key was refused.', hint: 'Paste a new one.', models: [], steps: [{ name: 'dns', ok: true, ms: 4 }, { name: 'connect', ok: true, ms: 22 }, { name: 'tls', ok: true, ms: 36 }, { name: 'models', ok: false, ms: 120, detail: '401' }], total_ms: 182 };

export const entry = (n: number, lang: string, question: string, answer: string, hits = 0): FAQEntry => ({ id: n, lang, question, alternatives: [], answer, enabled: true, hits, updated_at: ago(n * 400) });
export const faq = (): FAQEntry[] => [
  { ...entry(1, 'en', 'How long does shipping take?', 'Within the EU two to four working days, elsewhere five to ten. You get a tracking link as soon as the parcel leaves us.', 181), alternatives: ['When will my order arrive?', 'delivery time'] },
  { ...entry(2, 'zh', '多久能收到货？', '国内两到四天，海外五到十个工作日。发货后会把物流单号发到您的邮箱。', 143), alternatives: ['几天到货', '发货要多久'] },
  entry(3, 'en', 'How do I return something?', 'Within 30 days, unused and in its box. Write to us and we send a label; the money is back within five days.', 77),
  entry(4, 'zh', '怎么退货？', '收到后七天内可以退换，保持包装完好即可。联系我们获取退货单。', 64),
  entry(5, 'en', 'What are your opening hours?', 'Monday to Saturday, 10 to 18. The shop on Tea Street is closed on Sundays.', 52),
  entry(6, 'en', 'How can I pay?', 'By card, PayPal or bank transfer. Invoices for companies on request.', 49),
  entry(7, 'zh', '可以开发票吗？', '可以。下单时勾选“需要发票”，电子发票会在发货后 24 小时内发送。', 41),
  { ...entry(8, 'en', 'Is the celadon dishwasher safe?', 'Better not: the glaze stays clear longest when it is washed by hand.', 12), enabled: false },
  entry(9, 'en', 'Do you wrap gifts?', 'Yes, at no cost. Tick "gift" at the checkout and tell us what the card shall say.', 33),
];
export const unanswered = (): Unanswered[] => [
  { id: 1, text: 'Can I get wholesale samples?', lang: 'en', count: 9, last_at: ago(26), conversation: id(6) },
  { id: 2, text: '能刻字吗？', lang: 'zh', count: 6, last_at: ago(140) },
  { id: 3, text: 'Do you have a shop in Berlin?', lang: 'en', count: 3, last_at: ago(800) },
  { id: 4, text: 'Is the matcha tested for heavy metals?', lang: 'en', count: 2, last_at: ago(1900) },
];
export const importReport: ImportReport = { added: 38, updated: 2, skipped: 4, rejected: 1, encoding: 'utf-8', notes: [{ line: 17, code: 'missing_column', text: 'The answer is missing.' }, { line: 23, code: 'duplicate', text: 'The same question stands in line 4.' }], truncated: false, preview: [{ key: 'How long does shipping take?', value: 'Two to four days.' }] };

export const filters = (): Filters => ({
  config: { words_on: true, patterns_on: true, shadow: false, action_in: 'block', action_out: 'mask', pinyin: true, mask_personal_data: true, stored_personal_data: 'masked', mask_style: 'same', review: { on: false, hold: false, on_failure: 'allow', timeout_ms: 3000, model: '', questions: true, answers: false, topics: '', action: 'block' }, blocked_text: '', locked: [], revision: 12 },
  lists: [
    { id: 1, name: 'Advertising', category: 'spam', action: '', way: 'both', replace: '', enabled: true, count: 412, source: 'starter', read_only: false, updated_at: ago(9000) },
    { id: 2, name: 'Abuse', category: 'abuse', action: 'mask', way: 'both', replace: '', enabled: true, count: 288, source: 'starter', read_only: false, updated_at: ago(9000) },
    { id: 3, name: 'Competitors', category: 'brand', action: 'note', way: 'out', replace: '', enabled: true, count: 9, source: 'own', read_only: false, updated_at: ago(300) },
    { id: 4, name: 'words.txt', category: '', action: 'block', way: 'in', replace: '', enabled: true, count: 100_000, source: '/etc/haoke/words.txt', read_only: true, updated_at: ago(90000) },
  ],
  patterns: [
    { id: 1, name: 'Order numbers', expr: 'MH-\\d{6}', category: 'order', action: 'note', way: 'in', replace: '', enabled: true, read_only: false, hits: 64, updated_at: ago(900) },
    { id: 2, name: 'Discount codes', expr: '(?i)code[: ]+[A-Z0-9]{6,}', category: 'promotion', action: 'mask', way: 'out', replace: '', enabled: true, read_only: false, hits: 3, updated_at: ago(900) },
  ],
  detectors: ['phone', 'cn_id', 'card', 'iban', 'email', 'ip', 'api_key'].map((name, i) => ({ name, enabled: i !== 5, action: 'mask' as const, way: 'both' as const, hits: [17, 0, 4, 1, 22, 0, 0][i]! })),
  exceptions: [{ id: 1, text: 'Scunthorpe', at: ago(5000), by: 'owner' }, { id: 2, text: 'casino green', rule: 'casino', at: ago(400), by: 'owner' }],
  problems: [{ list: 'Abuse', entry: 'x', code: 'one_letter', text: 'is a single letter and will hit wherever it stands alone' }, { list: 'Advertising', entry: 'casino', code: 'contradiction', text: 'is also in "Abuse" with action mask: the stricter block applies' }], more: 0,
  words: 100_709, build_ms: 312, bytes: 2.9e6,
  layers: [
    { layer: 'words', on: true, hits: 31, p50_us: 0.4, p95_us: 1.2, checks: 4210 },
    { layer: 'patterns', on: true, hits: 9, p50_us: 0.9, p95_us: 2.6, checks: 4210 },
    { layer: 'review', on: false, hits: 0, p50_us: 0, p95_us: 0, checks: 0 },
  ],
});
export function words(): Map<number, string[]> {
  const many = Array.from({ length: 100_000 }, (_, i) => `word ${String(i).padStart(6, '0')}`);
  return new Map([[1, ['agent wanted', 'betting', 'casino', 'cheap followers', 'earn from home', 'free crypto', '代开发票', '刷单', '加微信', '博彩']], [2, ['idiot', 'moron', '白痴', '笨蛋']], [3, ['Leafy & Co', 'TeaGiant']], [4, many]]);
}
export const hits = (): FilterHit[] => [
  { id: 1, at: ago(4), layer: 'words', rule: 'casino', category: 'spam', action: 'block', shadow: false, direction: 'in', match: 'c-a-s-i-n-o', context: 'best c-a-s-i-n-o bonus here', conversation: id(12), seq: 1, false_positive: false },
  { id: 2, at: ago(12), layer: 'patterns', rule: 'phone', action: 'mask', shadow: false, direction: 'in', match: '138****5678', context: '我的电话是 138****5678', conversation: id(3), seq: 3, false_positive: false },
  { id: 3, at: ago(51), layer: 'words', rule: '刷单', category: 'spam', action: 'block', shadow: false, direction: 'in', match: '刷*单', context: '招聘刷*单员', conversation: id(12), seq: 2, false_positive: false },
  { id: 4, at: ago(180), layer: 'words', rule: 'TeaGiant', category: 'brand', action: 'note', shadow: true, direction: 'out', match: 'TeaGiant', context: 'unlike TeaGiant we roast', conversation: id(10), seq: 4, false_positive: true },
];
export function filterTest(text: string, review: boolean): FilterTestResult {
  const bytes = (s: string) => new TextEncoder().encode(s).length;
  const found = ['casino', 'c-a-s-i-n-o', '刷单', 'idiot'].flatMap((w) => {
    const at = text.toLowerCase().indexOf(w);
    return at < 0 ? [] : [{ layer: 'words' as const, rule: w.replaceAll('-', ''), category: 'spam', action: 'block' as const, start: bytes(text.slice(0, at)), end: bytes(text.slice(0, at + w.length)), match: w }];
  });
  const phone = /1[3-9]\d{9}/.exec(text);
  const patterns = phone ? [{ layer: 'patterns' as const, rule: 'phone', action: 'mask' as const, start: bytes(text.slice(0, phone.index)), end: bytes(text.slice(0, phone.index + 11)), match: phone[0] }] : [];
  return {
    action: found.length ? 'block' : patterns.length ? 'mask' : '', text: phone ? text.replace(phone[0], '***********') : text, normalised: text.toLowerCase().replace(/[-*]/g, ''), excepted: [], notes: [],
    layers: [
      { layer: 'words', on: true, ran: true, action: found.length ? 'block' : '', ns: 412, hits: found, reads: found.map((h) => ({ normalised: h.rule, steps: h.match.includes('-') ? ['separators'] : [] })) },
      { layer: 'patterns', on: true, ran: true, action: patterns.length ? 'mask' : '', ns: 905, hits: patterns, reads: patterns.map((h) => ({ normalised: h.match, steps: [] })) },
      { layer: 'review', on: false, ran: review, action: '', ns: review ? 812_000_000 : 0, hits: [], reads: [], comment: review ? 'Nothing to object to.' : '' },
    ],
  };
}

export const look = (): Site => ({ title: 'Morning Hill Tea', greeting: 'Good day! Tea or teaware: ask me anything.', hours: 'AI answers at once. People 9-18.', color: '#0F7B6C', side: 'right', quick: ['Where is my order?', 'How long does shipping take?', '可以开发票吗？'] });
export function widget(site: Site, revision: number, base: string): WidgetState {
  const script = `<script src="${base}/widget.js" data-site="default" async></script>`;
  return {
    look: site, revision, locked: [], share_url: base, public_url: base, reachable: false, chat_url: `${base}/chat?site=default`, origins: ['https://morninghill.example', 'https://www.morninghill.example'], warnings: [],
    snippets: [
      { kind: 'html', code: script },
      { kind: 'wordpress', code: `add_action('wp_footer', function () {\n  echo '${script}';\n});` },
      { kind: 'shopify', code: `{%- comment -%} Haoke {%- endcomment -%}\n${script}` },
      { kind: 'react', code: `useEffect(() => {\n  const s = document.createElement('script');\n  s.src = '${base}/widget.js';\n  s.dataset.site = 'default';\n  s.async = true;\n  document.body.append(s);\n  return () => s.remove();\n}, []);` },
      { kind: 'iframe', code: `<iframe src="${base}/chat?site=default" title="Chat" width="380" height="640"></iframe>` },
    ],
  };
}

export const leftMessages = (): LeftMessage[] => [
  { id: 1, at: ago(410), name: 'Yuki Tanaka', email: 'yuki@example.jp', text: 'Do you hold tea ceremonies for groups of eight? We are in town the first week of December.', page_url: 'https://morninghill.example/events', done: false },
  { id: 2, at: ago(900), name: '王小姐', email: 'wang@example.cn', text: '企业采购五十份礼盒，请联系我报价。', page_url: 'https://morninghill.example/zh/gifts', done: false },
];
export const operators = (): Operator[] => [
  { name: 'owner', display: 'Lin', role: 'owner', created_at: ago(90000), seen_at: ago(1), sessions: 2, self: true },
  { name: 'ana', display: 'Ana', role: 'operator', created_at: ago(50000), seen_at: ago(340), sessions: 1, self: false },
];
export const backups = (): Backups => ({
  schedule: 'daily', at: '03:30', keep: 14, folder: '/var/lib/haoke/backups', passphrase: true, running: false,
  items: [
    { name: 'haoke-2026-11-22.hkb', at: ago(700), bytes: 18_420_311, version: '1.0.0', encrypted: true, auto: true, verified_at: ago(690) },
    { name: 'haoke-2026-11-21.hkb', at: ago(2140), bytes: 18_120_900, version: '1.0.0', encrypted: true, auto: true },
    { name: 'before-1.0.0.hkb', at: ago(20000), bytes: 12_004_220, version: '0.9.4', encrypted: false, auto: false },
  ],
});
export const archive = (off: boolean): ArchiveStatus => ({
  hot: 412, warm: 1804, cold: 38_112, clickhouse: off ? 'off' : 'ok', ...(off ? {} : { server: '10.0.0.5:9000/haoke', version: '24.8.4', last_ship: ago(3) }), pending: off ? 0 : 14, shipped: off ? 0 : 38_098, failures: 0, raw_bytes: 412_000_000, stored_bytes: 29_100_000, ratio: 14.2, sqlite_bytes: 48_900_000, disk_free: 212e9, cold_after_s: 86400, keep_days: 365, corrupt: 0,
});
export const archiveTest: ArchiveTest = { ok: true, text: 'The connection works.', version: '24.8.4', latency_ms: 3.1, free_bytes: 412e9, steps: [{ name: 'connect', ok: true, ms: 2 }, { name: 'login', ok: true, ms: 1 }, { name: 'rights', ok: true, ms: 3 }, { name: 'schema', ok: true, ms: 9 }, { name: 'write', ok: true, ms: 14 }] };

export function logs(level: string, query: string): LogPage {
  const order = ['debug', 'info', 'warn', 'error'];
  const lines: [number, string, string, [string, string][]][] = [
    [62, 'info', 'listening', [['public', '127.0.0.1:8787'], ['admin', '127.0.0.1:8788']]],
    [62, 'info', 'store opened', [['file', 'haoke.db'], ['conversations', '40328']]],
    [41, 'warn', 'key cools down', [['key', 'backup'], ['status', '429'], ['for', '60s']]],
    [33, 'info', 'sealed conversations', [['count', '12'], ['ratio', '14.1']]],
    [20, 'error', 'upstream call failed', [['key', 'backup'], ['fault', 'timeout'], ['after', '15s']]],
    [12, 'debug', 'admitted', [['key', 'main'], ['wait', '0s']]],
    [4, 'info', 'shipped', [['rows', '37'], ['took', '48ms']]],
    [1, 'info', 'operator signed in', [['name', 'owner']]],
  ];
  const all = Array.from({ length: 240 }, (_, i) => ({ n: i + 1, line: lines[i % lines.length]! }));
  const items = all
    .filter(({ line }) => order.indexOf(line[1]) >= order.indexOf(level) && JSON.stringify(line).toLowerCase().includes(query.toLowerCase()))
    .map(({ n, line }) => ({ n, at: new Date(Date.now() - (240 - n) * 14_000).toISOString(), level: line[1], text: line[2], attrs: line[3] }));
  return { items, last: 240, dropped: 0 };
}

export const about: About = {
  version: '1.0.0', commit: '70ce775', built: '2026-11-22', go: 'go1.26.8', os: 'linux', arch: 'amd64', data_folder: '/var/lib/haoke', config_file: '/etc/haoke/config.toml', sqlite: '3.53.0', licence: 'Apache-2.0',
  licences: [['github.com/go-chi/chi/v5', 'v5.5.0', 'MIT'], ['modernc.org/sqlite', 'v1.61.1', 'BSD-3-Clause'], ['nhooyr.io/websocket', 'v1.8.17', 'ISC'], ['github.com/wailsapp/wails/v2', 'v2.16.0', 'MIT'], ['svelte', '5.57.3', 'MIT'], ['uplot', '1.6.32', 'MIT'], ['uqr', '0.1.3', 'MIT']].map(([name, version, licence]) => ({ package: name!, version: version!, licence: licence! })),
  leaves: [{ en: 'Questions and their context go to the provider that you set up.', zh: '问题和上下文会发给你接入的服务商。' }, { en: 'Nothing else, unless you set up ClickHouse or update checks.', zh: '除非接入 ClickHouse 或打开更新检查，没有其他信息离开。' }],
};
