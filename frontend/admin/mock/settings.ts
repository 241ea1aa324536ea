import type { SettingField, SettingsState, SettingType } from '../src/api/types';

const field = (path: string, type: SettingType, value: unknown, en: string, zh: string, help = '', part: Partial<SettingField> = {}): SettingField => ({
  path, group: path.split('.')[0]!, type, label: { en, zh }, help: { en: help, zh: '' }, value, default: value, source: 'default', locked: false, secret: type === 'secret', restart: false, advanced: false, revision: 0, ...part,
});

/** Enough settings of every type to show each control. */
export const settings = (): SettingsState => ({
  revision: 40,
  file: '/etc/haoke/config.toml',
  restart: [],
  groups: [
    { id: 'server', name: { en: 'Network', zh: '网络' }, help: { en: 'Where visitors and owners reach the appliance.', zh: '访客和店主从哪里访问。' } },
    { id: 'site', name: { en: 'Shop', zh: '店铺' }, help: { en: '', zh: '' } },
    { id: 'upstream', name: { en: 'Provider', zh: '服务商' }, help: { en: 'The OpenAI-compatible API that writes the answers.', zh: '生成回答的 OpenAI 兼容接口。' } },
    { id: 'limits', name: { en: 'Limits', zh: '限额' }, help: { en: '', zh: '' } },
    { id: 'merge', name: { en: 'Shared answers', zh: '合并回答' }, help: { en: 'Identical questions are paid for once.', zh: '相同问题只付费一次。' } },
    { id: 'session', name: { en: 'Memory', zh: '会话' }, help: { en: '', zh: '' } },
    { id: 'archive', name: { en: 'Archive', zh: '归档' }, help: { en: '', zh: '' } },
    { id: 'log', name: { en: 'Log', zh: '日志' }, help: { en: '', zh: '' } },
  ],
  fields: [
    field('server.public_addr', 'addr', '127.0.0.1:8787', 'Visitors’ address', '访客地址', 'Where the widget and its socket are served.'),
    field('server.admin_addr', 'addr', '127.0.0.1:8788', 'Admin address', '管理地址', 'This page, its API and /metrics. Loopback unless you want otherwise.', { danger: { en: 'Other machines will be able to open the sign-in of this page.', zh: '其他机器将能打开此页的登录界面。' } }),
    field('server.public_url', 'url', '', 'Public address', '公开地址', 'How visitors reach it from outside, for snippets and QR codes.'),
    field('server.allowed_origins', 'strings', ['https://morninghill.example', 'https://www.morninghill.example'], 'Pages that may embed the widget', '允许嵌入的网页', 'Origins such as https://shop.example.', { source: 'config.toml:6', locked: true }),
    field('server.trusted_proxies', 'strings', ['127.0.0.1/32'], 'Trusted proxies', '可信代理', 'Whose X-Forwarded-For is believed.', { advanced: true }),
    field('site.name', 'string', 'Morning Hill Tea', 'Name', '名称', 'Visitors read it in the widget.', { source: 'window', default: 'Demo shop', revision: 12 }),
    field('site.instructions', 'text', 'You answer visitors of Morning Hill Tea, a small shop for tea and ceramics.', 'Instructions', '说明', 'What the AI is told about its task.'),
    field('site.identity_secret', 'secret', 'set', 'Identity secret', '身份密钥', 'Signs the identities of known visitors (HS256).', { source: 'window' }),
    field('site.hours', 'json', [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], open: '09:00', close: '18:00' }, { days: ['sat'], open: '10:00', close: '14:00' }], 'Opening hours', '营业时间', 'When people answer. Empty: always.', { page: 'widget' }),
    field('site.holidays', 'strings', ['2026-12-25'], 'Holidays', '节假日', 'Days on which nobody answers.', { page: 'widget' }),
    field('upstream.base_url', 'url', 'https://api.openai.com/v1', 'Base URL', '接口地址', 'OpenAI-compatible, ends in /v1. Empty: answers come from the FAQ.', { page: 'keys' }),
    field('upstream.model', 'string', 'gpt-4o-mini', 'Model', '模型', '', { source: 'HAOKE_UPSTREAM_MODEL', locked: true }),
    field('upstream.timeout', 'duration', '15s', 'Time-out', '超时', 'To the first word, and between words.'),
    field('upstream.max_idle_conns_per_host', 'int', 500, 'Calls under way', '并发调用', 'The cap of calls at the same time.', { advanced: true, min: 1, max: 5000 }),
    field('limits.daily_spend', 'float', 20, 'Money a day', '每日花费', 'Answers come from the FAQ when it is spent. 0: no limit.', { source: 'window', default: 0, min: 0, unit: 'USD', revision: 31 }),
    field('limits.messages_per_minute', 'int', 20, 'Messages a minute', '每分钟消息数', 'Of one visitor.', { min: 0, unit: '/min' }),
    field('limits.at_cap', 'enum', 'offline', 'When the money is spent', '预算用完时', '', { choices: [{ value: 'offline', name: { en: 'Answer from the FAQ', zh: '由常见问题回答' } }, { value: 'cheaper', name: { en: 'Use the cheaper model', zh: '改用更便宜的模型' } }, { value: 'people', name: { en: 'Leave it to people', zh: '只由人工回答' } }] }),
    field('merge.cache_ttl', 'duration', '1h', 'Keep answers for', '缓存时长', 'For later identical questions; 0: not at all.', { source: 'window', default: '0s' }),
    field('session.cold_after', 'duration', '24h', 'Archive after', '多久后归档', 'Quiet time until a conversation is compressed.'),
    field('session.hot_capacity', 'int', 10000, 'Conversations in memory', '内存中的对话', '', { advanced: true, min: 10 }),
    field('archive.clickhouse', 'secret', '', 'ClickHouse', 'ClickHouse', 'clickhouse://name:password@host:9000/database. Empty: the archive stays in SQLite.', { page: 'archive' }),
    field('archive.keep_local', 'bool', false, 'Keep a local copy', '保留本地副本', 'Also after ClickHouse has confirmed it.'),
    field('log.level', 'enum', 'info', 'Level', '级别', '', { choices: [{ value: 'debug', name: { en: 'Everything, for finding faults', zh: '全部（用于查错）' } }, { value: 'info', name: { en: 'What happens', zh: '一般信息' } }, { value: 'warn', name: { en: 'Warnings and errors', zh: '警告和错误' } }, { value: 'error', name: { en: 'Errors only', zh: '仅错误' } }] }),
    field('log.visitor_text', 'bool', false, 'Visitors’ texts in the log', '日志记录访客文字', 'Off unless you look for a fault.', { danger: { en: 'What visitors write will stand in the log.', zh: '访客写的内容会出现在日志里。' } }),
  ],
});
