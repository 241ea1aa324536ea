import { describe, expect, it } from 'vitest';
import { pieces } from '../src/lib/files';
import { mergeFields, mergeLists } from '../src/lib/merge';
import { originOf } from '../src/lib/values';

describe('two changes in one', () => {
  it('keeps what either added and drops what either removed', () => {
    expect(mergeLists(['a', 'b', 'c'], ['a', 'c', 'mine'], ['a', 'b', 'theirs'])).toEqual(['a', 'theirs', 'mine']);
    expect(mergeLists(['a'], ['a', 'same'], ['a', 'same'])).toEqual(['a', 'same']);
    expect(mergeLists([{ open: '9:00' }], [], [{ open: '9:00' }, { open: '14:00' }])).toEqual([{ open: '14:00' }]);
    expect(mergeLists<string>([], [], [])).toEqual([]);
  });
  it('joins fields and names those that both changed', () => {
    const base = { color: '#111111', side: 'left', title: 'Tea', quick: ['a'] } as { color: string; side: string; title?: string; quick: string[] };
    expect(mergeFields(base, { ...base, color: '#222222' }, { ...base, side: 'right', quick: ['a', 'b'] })).toEqual({ value: { color: '#222222', side: 'right', title: 'Tea', quick: ['a', 'b'] }, clashes: [] });
    expect(mergeFields(base, { ...base, color: '#222222' }, { ...base, color: '#333333' })).toEqual({ value: { ...base, color: '#222222' }, clashes: ['color'] });
    expect(mergeFields(base, { ...base, color: '#222222' }, { ...base, color: '#222222' }).clashes).toEqual([]);
    const { title: _, ...without } = base;
    expect(mergeFields(base, without, { ...base, side: 'right' }).value).toEqual({ ...without, side: 'right' });
  });
});

describe('files in a message', () => {
  const id = '0123456789abcdef0123456789abcdef';
  it('are found beside the words', () => {
    expect(pieces(`Look: ![the cup.png](/v1/files/${id}.png) broken`)).toEqual([{ text: 'Look:' }, { file: `${id}.png`, name: 'the cup.png', picture: true }, { text: 'broken' }]);
    expect(pieces(`[invoice.pdf](/v1/files/${id}.pdf)`)).toEqual([{ file: `${id}.pdf`, name: 'invoice.pdf', picture: false }]);
    expect(pieces('')).toEqual([{ text: '' }]);
  });
  it('are only our own', () => {
    for (const text of ['![x](https://evil.example/a.png)', '![x](javascript:alert(1))', '![x](/v1/files/../../secret.png)', `![x](//evil.example/v1/files/${id}.png)`, '[a](b)', '<img src=x onerror=alert(1)>']) expect(pieces(text)).toEqual([{ text }]);
  });
});

describe('originOf', () => {
  it('takes an origin, a page, or a bare name', () => {
    expect(['https://shop.example', 'https://shop.example/tea?x=1', 'shop.example', ' http://localhost:3000/x '].map(originOf)).toEqual(['https://shop.example', 'https://shop.example', 'https://shop.example', 'http://localhost:3000']);
    expect(['', 'shop', 'ftp://shop.example', 'javascript:alert(1)', 'https://', 'a b'].map(originOf)).toEqual(['', '', '', '', '', '']);
  });
});
