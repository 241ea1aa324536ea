import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { said } from '../src/i18n/said';

test('sentences of the server are said in Chinese, with what fills their gaps', () => {
  expect(said('zh-CN', 'The key is empty.')).toBe('密钥为空。');
  expect(said('zh-CN', 'There is a list "a $1 b".')).toBe('已有词表“a $1 b”。');
  expect(said('zh-CN', 'At most 3 words, 4 exceptions and 5 patterns.')).toBe('最多 3 个词、4 个例外和 5 条规则。');
  expect(said('zh-CN', 'This is set in config.toml:4.')).toBe('此项在 config.toml:4 中设置。');
  expect(said('en', 'The key is empty.')).toBe('The key is empty.');
  expect(said('zh-CN', 'disk I/O error')).toBe('disk I/O error');
});

// Nobody meets these but whoever writes a script.
const forScripts = /JSON|json|cursor|series|[Ss]tep|for example|at most 64|could not be encoded|^GET |^There is no $|^This is set in $|^cup\.png$|^question,answer/;

// Whoever adds a refusal to the API sees here that it needs its Chinese words.
test('every plain refusal of the API has Chinese words', () => {
  const dir = new URL('../../../backend/internal/adminapi/', import.meta.url);
  const missing: string[] = [];
  for (const file of readdirSync(dir)) {
    if (!file.endsWith('.go') || file.endsWith('_test.go')) continue;
    const source = readFileSync(new URL(file, dir), 'utf8');
    for (const call of source.matchAll(/\b(?:invalid|exists)\("[^"]*", ((?:"(?:[^"\\]|\\.)*"(?:, )?)+)\)|\bnotFound\(("(?:[^"\\]|\\.)*")\)|\b(?:Detail|Hint): ("(?:[^"\\]|\\.)*")/g)) {
      for (const [, text] of (call[1] ?? call[2] ?? call[3] ?? '').matchAll(/"((?:[^"\\]|\\.)*)"/g)) {
        if (text && !forScripts.test(text) && said('zh-CN', text) === text) missing.push(`${file}: ${text}`);
      }
    }
  }
  expect(missing).toEqual([]);
});

test('every refusal of a setting, and what may stand there instead, has Chinese words', () => {
  const dir = new URL('../../../backend/internal/settings/', import.meta.url);
  const missing: string[] = [];
  for (const file of readdirSync(dir)) {
    if (!file.startsWith('rules') || file.endsWith('_test.go')) continue;
    const source = readFileSync(new URL(file, dir), 'utf8');
    for (const [, a, b, c] of source.matchAll(/refus(?:e\(|al\{)"([^"]*[^" ])"|allowed: +(?:fmt\.Sprintf\()?"([^"]*[^" ])"|allowed: +`([^`]*)`/g)) {
      const text = (a ?? b ?? c ?? '').replace(/%d/g, '7').replace(/%s/g, 'x');
      if (said('zh-CN', text) === text) missing.push(`${file}: ${text}`);
    }
  }
  expect(missing).toEqual([]);
});
