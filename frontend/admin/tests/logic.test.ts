import { describe, expect, it } from 'vitest';
import type { Conversation, Message } from '../src/api/types';
import { append, columnsOf, sparkline } from '../src/lib/charts';
import { csv } from '../src/lib/csv';
import { safeLink } from '../src/lib/native';
import { hashOf, parseHash } from '../src/lib/router.svelte';
import { segments } from '../src/lib/spans';
import { deviceOf, fits, withConversation, withDraft, withMessage } from '../src/lib/transcript';
import { betterBaseURL, cleanSecret, inkOn, parseSetting, settingText } from '../src/lib/values';

describe('segments', () => {
  const cut = (text: string, ...hits: [number, number][]) => segments(text, hits.map(([start, end]) => ({ start, end }))).map((s) => (s.hits.length ? `[${s.text}]` : s.text));

  it('counts bytes, not UTF-16 units', () => {
    expect(cut('买刷单吗', [3, 9])).toEqual(['买', '[刷单]', '吗']);
    expect(cut('a😀b', [1, 5])).toEqual(['a', '[😀]', 'b']);
  });
  it('handles overlaps, borders and nonsense', () => {
    expect(cut('abcdef', [0, 3], [2, 5])).toEqual(['[ab]', '[c]', '[de]', 'f']);
    expect(cut('abc', [2, 99])).toEqual(['ab', '[c]']);
    expect(cut('abc', [2, 2], [5, 1])).toEqual(['abc']);
    expect(cut('')).toEqual([]);
  });
  it('loses nothing under random cuts', () => {
    const text = 'Grüße, 世界 😀 c-a-s-i-n-o \u200bend';
    const bytes = new TextEncoder().encode(text).length;
    // Borders of characters only, as a filter on valid UTF-8 gives them.
    const borders = [0, ...[...text].map(((sum) => (c: string) => (sum += new TextEncoder().encode(c).length))(0))];
    let seed = 7;
    const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
    for (let i = 0; i < 200; i++) {
      const hits = Array.from({ length: 1 + Math.floor(random() * 4) }, () => ({ start: borders[Math.floor(random() * borders.length)]!, end: borders[Math.floor(random() * borders.length)]! }));
      expect(segments(text, hits).map((s) => s.text).join('')).toBe(text);
    }
    expect(borders.at(-1)).toBe(bytes);
  });
});

describe('transcript', () => {
  const message = (seq: number, text = ''): Message => ({ seq, from: 'ai', text, at: '2026-11-22T10:00:00Z' });
  const head = (id: string, at: string, part: Partial<Conversation> = {}) => ({ id, updated_at: at, archived: false, blocked: false, mode: 'ai', unread: 0, unanswered: false, ...part }) as Conversation;

  it('keeps messages in order and replaces the same seq', () => {
    expect(withMessage([message(1), message(3)], message(2)).map((m) => m.seq)).toEqual([1, 2, 3]);
    const replaced = withMessage([message(1), message(2, 'half')], message(2, 'whole'));
    expect(replaced.map((m) => m.text)).toEqual(['', 'whole']);
  });
  it('joins drafts and ignores what does not follow', () => {
    const start = withDraft(null, { seq: 4, part: 0, text: 'Yes' });
    const next = withDraft(start, { seq: 4, part: 1, text: ', we do' });
    expect(next?.text).toBe('Yes, we do');
    expect(withDraft(next, { seq: 4, part: 3, text: 'lost' })?.text).toBe('Yes, we do');
    expect(withDraft(next, { seq: 4, part: 1, text: 'twice' })?.text).toBe('Yes, we do');
    expect(withDraft(next, { seq: 5, part: 1, text: 'other' })?.text).toBe('Yes, we do');
    expect(withDraft(next, { seq: 4, part: 0, text: 'again' })?.text).toBe('again');
    expect(withDraft(null, { seq: 4, part: 2, text: 'late' })).toBeNull();
  });
  it('moves a changed conversation to its place', () => {
    const list = [head('a', '2026-11-22T10:05:00Z'), head('b', '2026-11-22T10:04:00Z'), head('c', '2026-11-22T10:01:00Z')];
    expect(withConversation(list, head('c', '2026-11-22T10:06:00Z')).map((c) => c.id)).toEqual(['c', 'a', 'b']);
    expect(withConversation(list, head('d', '2026-11-22T10:03:00Z')).map((c) => c.id)).toEqual(['a', 'b', 'd', 'c']);
  });
  it('knows which list a conversation belongs to', () => {
    expect(fits(head('a', '', { archived: true }), 'open')).toBe(false);
    expect(fits(head('a', '', { archived: true }), 'archived')).toBe(true);
    expect(fits(head('a', '', { mode: 'waiting' }), 'waiting')).toBe(true);
    expect(fits(head('a', '', { blocked: true }), 'open')).toBe(false);
    expect(fits(head('a', '', { unread: 2 }), 'unread')).toBe(true);
  });
  it('names the device', () => {
    expect(deviceOf('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1')).toBe('iPhone, Safari');
    expect(deviceOf('Mozilla/5.0 (Linux; Android 15) Chrome/130.0 Safari/537.36 MicroMessenger/8.0')).toBe('Android, WeChat');
    expect(deviceOf(undefined)).toBe('');
  });
});

describe('charts', () => {
  const columns = columnsOf({ from: 0, to: 30, step: 10, t: [0, 10, 20], series: [{ name: 'a', unit: 'count', values: [1, 2, 3] }] });

  it('adds a step, and lets the newest second stand for it', () => {
    const next = append(columns, { t: 31, values: { a: 4 } }, 3600);
    expect(next.t).toEqual([0, 10, 20, 30]);
    expect(append(next, { t: 35, values: { a: 5 } }, 3600).values.a).toEqual([1, 2, 3, 5]);
    expect(append(next, { t: 36, values: {} }, 3600).values.a).toEqual([1, 2, 3, 4]);
  });
  it('keeps a hole a hole', () => {
    const next = append(columns, { t: 100, values: { a: 9 } }, 3600);
    expect(next.t).toEqual([0, 10, 20, 30, 100]);
    expect(next.values.a).toEqual([1, 2, 3, null, 9]);
  });
  it('forgets what is older than the range, and ignores the past', () => {
    expect(append(columns, { t: 30, values: { a: 4 } }, 15).t).toEqual([20, 30]);
    expect(append(columns, { t: 5, values: { a: 4 } }, 3600)).toBe(columns);
  });
  it('draws a small line with its gaps', () => {
    expect(sparkline([1, null])).toBe('');
    expect(sparkline([0, 1, null, 1, 0])).toBe('M0.0 27.0L25.0 1.0M75.0 1.0L100.0 27.0');
  });
});

describe('values', () => {
  it('cleans pasted keys', () => {
    expect(cleanSecret('  sk-abc\n')).toBe('sk-abc');
    expect(cleanSecret('"sk-a b\u200bc"')).toBe('sk-abc');
    expect(cleanSecret('Authorization: Bearer sk-abc')).toBe('sk-abc');
  });
  it('suggests a better base URL', () => {
    expect(betterBaseURL('https://api.example.com')).toBe('https://api.example.com/v1');
    expect(betterBaseURL('https://api.example.com/v1/chat/completions')).toBe('https://api.example.com/v1');
    expect(betterBaseURL('https://api.example.com/v1/')).toBe('https://api.example.com/v1');
    expect(betterBaseURL('https://api.example.com/v1')).toBe('');
    expect(betterBaseURL('api.example.com/openai')).toBe('https://api.example.com/openai');
    expect(betterBaseURL('')).toBe('');
    expect(betterBaseURL('http://')).toBe('');
  });
  it('reads settings as they are typed', () => {
    expect(parseSetting({ type: 'int', min: 1 }, ' 20 ')).toEqual({ ok: true, value: 20 });
    expect(parseSetting({ type: 'int' }, '2.5')).toEqual({ ok: false, why: 'whole' });
    expect(parseSetting({ type: 'int', min: 1 }, '0')).toEqual({ ok: false, why: 'min' });
    expect(parseSetting({ type: 'float', max: 1 }, '0,5')).toEqual({ ok: true, value: 0.5 });
    expect(parseSetting({ type: 'float' }, '')).toEqual({ ok: false, why: 'number' });
    expect(parseSetting({ type: 'duration' }, '90')).toEqual({ ok: true, value: '90s' });
    expect(parseSetting({ type: 'duration' }, '1h 30m')).toEqual({ ok: true, value: '1h30m' });
    expect(parseSetting({ type: 'duration' }, 'soon')).toEqual({ ok: false, why: 'duration' });
    expect(parseSetting({ type: 'strings' }, 'a\n\n b \n')).toEqual({ ok: true, value: ['a', 'b'] });
    expect(parseSetting({ type: 'addr' }, '[::1]:8787')).toEqual({ ok: true, value: '[::1]:8787' });
    expect(parseSetting({ type: 'addr' }, 'localhost')).toEqual({ ok: false, why: 'addr' });
    expect(parseSetting({ type: 'url' }, '')).toEqual({ ok: true, value: '' });
    expect(settingText({ type: 'strings' }, ['a', 'b'])).toBe('a\nb');
  });
  it('puts readable text on any colour', () => {
    expect(inkOn('#0F7B6C')).toBe('#ffffff');
    expect(inkOn('#ffee00')).toBe('#1f1d1a');
    expect(inkOn('#fff')).toBe('#1f1d1a');
    expect(inkOn('nonsense')).toBe('#ffffff');
  });
});

describe('small things', () => {
  it('reads and writes hashes', () => {
    expect(parseHash('#/conversations/4f2a')).toEqual({ page: 'conversations', rest: ['4f2a'] });
    expect(parseHash('')).toEqual({ page: 'overview', rest: [] });
    expect(parseHash('#/settings/%E0%A4%A').rest).toEqual(['%E0%A4%A']);
    expect(parseHash(hashOf('keys', 'a/b 键'))).toEqual({ page: 'keys', rest: ['a/b 键'] });
  });
  it('opens only harmless links', () => {
    expect(safeLink('https://shop.example/a')).toBe('https://shop.example/a');
    for (const bad of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'wails://x', 'no address']) expect(safeLink(bad)).toBeNull();
  });
  it('writes CSV that no spreadsheet executes', () => {
    expect(csv([['a', 'b"c'], ['=1+1', null], [1.5, 'x,y']])).toBe('a,"b""c"\r\n\'=1+1,\r\n1.5,"x,y"\r\n');
  });
});
