import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { en } from '../src/i18n/en';
import { learn, said } from '../src/i18n/said';
import { reasons } from '../src/i18n/saidwhy';
import { refusals } from '../src/i18n/saidzh';

test('without the words, a sentence stays as it came', async () => {
  expect(said('zh-CN', 'The key is empty.')).toBe('The key is empty.');
  await learn();
  expect(said('zh-CN', 'The key is empty.')).toBe('密钥为空。');
});

// That every sentence of the server has its words is seen by a test beside the
// sentences, which reads Go: TestSaid in backend/internal/adminapi.

test('sentences of the server are said in Chinese, with what fills their gaps', () => {
  expect(said('zh-CN', 'The key is empty.')).toBe('密钥为空。');
  expect(said('zh-CN', 'There is a list "a $1 b".')).toBe('已有词表“a $1 b”。');
  expect(said('zh-CN', 'There is a list "say \\"no\\"".')).toBe('已有词表“say "no"”。');
  expect(said('zh-CN', 'At most 3 words, 4 exceptions and 5 patterns.')).toBe('最多 3 个词、4 个例外和 5 条规则。');
  expect(said('zh-CN', 'This is set in config.toml:4.')).toBe('此项在 config.toml:4 中设置。');
  expect(said('en', 'The key is empty.')).toBe('The key is empty.');
  expect(said('zh-CN', undefined)).toBe('');
});

test('a cause behind a cause, what follows, and what fills a gap are read by themselves', () => {
  expect(said('zh-CN', '401 from https://api.example.com/v1/chat/completions: the key "main" was refused; paste a new one (it said: bad: key (1))')).toBe(
    'https://api.example.com/v1/chat/completions 返回 401：密钥“main” 被拒绝，请粘贴新的密钥（对方说：bad: key (1)）',
  );
  expect(said('zh-CN', 'DeepSeek asked key "b" to slow down (429); it asked for a pause of 20s')).toBe('DeepSeek 要求密钥“b”放慢（429）；要求暂停 20s');
  expect(said('zh-CN', 'https://x.test/v1: the connection was refused; is the server running, is port 443 right?')).toBe('https://x.test/v1：连接被拒绝，服务是否在运行，端口 443 对吗？');
  expect(said('zh-CN', 'download the update: https://a.test/b: nothing came for a minute')).toBe('下载更新：https://a.test/b：一分钟内没有收到数据');
  expect(said('zh-CN', 'upstream main key a: 503: 503 from http://x/v1: the provider has trouble; the appliance tries again by itself')).toBe('main 的密钥 a（503）：http://x/v1 返回 503：服务商出现故障，系统会自动重试');
  expect(said('zh-CN', 'The server refused. (Code: 62)')).toBe('服务器拒绝了请求。（Code: 62）');
  expect(said('zh-CN', '"赌 \\"博" stands in line 3 already: left out.')).toBe('“赌 "博”在第 3 行已有：未采用。');
  expect(said('zh-CN', 'a list of at most 5, each: at least 3')).toBe('最多 5 项，每项：至少 3');
});

test('what somebody else said stays as it came, however long and strange', () => {
  for (const strange of ['disk I/O failure 12', 'Fehler: kaputt; nochmal (x)', ': ; (', '$1 %s %d', ': '.repeat(400), '('.repeat(3000), 'a: '.repeat(900)]) expect(said('zh-CN', strange)).toBe(strange);
});

test('every Chinese sentence fills the gaps that its own has, and no others', () => {
  for (const [key, text] of Object.entries({ ...refusals, ...reasons })) {
    const gaps = key.match(/%[dsq]/g)?.length ?? 0;
    const used = [...text.matchAll(/\$(\d)/g)].map((m) => +m[1]!);
    expect(used.every((n) => n >= 1 && n <= gaps), key).toBe(true);
    expect(used.length >= gaps - 1, key).toBe(true);
  }
});

test('every trouble of the server has words by its code', () => {
  const codes = new Set<string>();
  for (const dir of ['../../../backend/internal/adminapi/', '../../../backend/']) {
    const at = new URL(dir, import.meta.url);
    for (const file of readdirSync(at)) {
      if (!file.endsWith('.go') || file.endsWith('_test.go')) continue;
      for (const [, code] of readFileSync(new URL(file, at), 'utf8').matchAll(/Trouble\{\s*Code: "(\w+)"/g)) codes.add(code!);
    }
  }
  codes.delete('setting'); // says which setting, and the warning's own sentence
  expect(codes.size).toBeGreaterThan(20);
  expect([...codes].filter((code) => !(code in en.trouble))).toEqual([]);
});

// A page that shows a text of the server as it came shows English to everybody.
test('pages do not show reasons and faults without reading them', () => {
  const raw = /\{(?:[^{}]*[^.\w])?\w+\.(?:reason|fault|apply_fault|store_note|comment)\s*(?:\|\||\?\?|\})/;
  const allowed = new Set(['head.comment']); // what a visitor wrote
  const found: string[] = [];
  const look = (dir: URL) => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (entry.isDirectory()) look(new URL(`${entry.name}/`, dir));
      else if (entry.name.endsWith('.svelte')) {
        for (const line of readFileSync(new URL(entry.name, dir), 'utf8').split('\n')) {
          const hit = raw.exec(line);
          if (hit && !/^\{(#if|:else)|amber:/.test(hit[0]) && !/said\(/.test(hit[0]) && ![...allowed].some((a) => hit[0].includes(a))) found.push(`${entry.name}: ${hit[0]}`);
        }
      }
    }
  };
  look(new URL('../src/', import.meta.url));
  expect(found).toEqual([]);
});
