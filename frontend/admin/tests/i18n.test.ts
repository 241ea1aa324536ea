import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { en } from '../src/i18n/en';
import { zhCN } from '../src/i18n/zh-CN';

type Tree = { [key: string]: string | ((...args: never[]) => string) | Tree };

function walk(tree: Tree, path: string[] = []): [string, Tree[string]][] {
  return Object.entries(tree).flatMap(([key, value]) => (typeof value === 'object' ? walk(value, [...path, key]) : [[[...path, key].join('.'), value] as [string, Tree[string]]]));
}

const root = new URL('../src/', import.meta.url);
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(svelte|ts)$/.test(file) && !/i18n[\\/](en|zh)/.test(file) && !file.endsWith('types.ts'))
  .map((file) => readFileSync(new URL(file.replaceAll('\\', '/'), root), 'utf8'))
  .join('\n');

describe('dictionaries', () => {
  it('have the same keys', () => {
    expect(walk(zhCN as Tree).map(([key]) => key).sort()).toEqual(walk(en as Tree).map(([key]) => key).sort());
  });
  it('have no empty text', () => {
    for (const dictionary of [en, zhCN]) for (const [key, value] of walk(dictionary as Tree)) if (typeof value === 'string') expect(value.trim(), key).not.toBe('');
  });
  it('are written in their own language', () => {
    const han = /\p{Script=Han}/u;
    expect(walk(en as Tree).filter(([, v]) => typeof v === 'string' && han.test(v))).toEqual([]);
    // Names and units stay as they are everywhere.
    const same = walk(zhCN as Tree).filter(([, v]) => typeof v === 'string' && !han.test(v)).map(([key]) => key);
    const allowed = /^(series\.(.*_p\d\d|queue_vip|upstream_429)|chat\.(aiName|vip)|widget\.(kinds\..*|originHint)|archive\.clickhouse|filters\.detector\.iban)$/;
    expect(same.filter((key) => !allowed.test(key))).toEqual([]);
  });
  it('have no text that nothing uses', () => {
    // Keys that are reached by a value: t.state[key.state] and the like.
    const computed = /^(trouble|series|nav)\.|\.(units|fault|state|steps|step|maskStyles|storedAs|oddity|region|action|way|detector|failure|kinds|kindHint|column|days|source|levels|schedules|finish|part|role|recalled)\./;
    const unused = walk(en as Tree).map(([key]) => key).filter((key) => !computed.test(key) && !new RegExp(`(\\.|['"])${key.split('.').at(-1)}\\b`).test(sources));
    expect(unused).toEqual([]);
  });
  it('end sentences the same way', () => {
    for (const [key, value] of walk(en as Tree)) if (typeof value === 'string') expect(value, key).not.toMatch(/!|\.\.\.$|Oops/);
  });
});
