import { flushSync } from 'svelte';
import { describe, expect, it } from 'vitest';
import { characters, draftOf } from '../src/pages/filters/draft';
import { Pages } from '../src/pages/filters/pages.svelte';

describe('draft of the tester', () => {
  const empty = { words: ' \n', patterns: '', allow: '', action: '' as const, alone: false };
  it('is nothing while its fields are empty', () => {
    expect(draftOf(empty)).toBeNull();
    expect(draftOf({ ...empty, action: 'block' })).toBeNull();
  });
  it('takes one rule a line', () => {
    expect(draftOf({ ...empty, words: ' a \n\nb', patterns: 'x+', allow: 'c', action: 'mask' })).toEqual({
      alone: false, words: ['a', 'b'], patterns: [{ name: 'x+', expr: 'x+' }], allow: ['c'], category: '', action: 'mask', replace: '',
    });
    expect(draftOf({ ...empty, alone: true })?.alone).toBe(true);
  });
});

describe('place of a hit', () => {
  it('is counted in characters, whatever their bytes', () => {
    expect(characters('a敏感b', { start: 1, end: 7 })).toEqual({ from: 2, to: 3 });
    expect(characters('😀x', { start: 4, end: 5 })).toEqual({ from: 2, to: 2 });
  });
});

describe('pages of a long list', () => {
  const list = Array.from({ length: 100_000 }, (_, i) => `w${i}`);
  const make = (most?: number) => {
    const asked: number[] = [];
    const pages = new Pages<string>(200, async (skip, limit) => {
      asked.push(skip);
      return { items: list.slice(skip, skip + limit), total: list.length };
    }, () => {}, most);
    return { pages, asked };
  };
  const settle = async () => {
    await new Promise((r) => setTimeout(r));
    flushSync();
  };
  it('fetches what is wanted, once', async () => {
    const { pages, asked } = make();
    await pages.reset();
    expect([pages.total, pages.item(0), pages.item(200)]).toEqual([100_000, 'w0', undefined]);
    pages.want(99_990, 100_000);
    pages.want(99_990, 100_000);
    pages.want(150, 250);
    await settle();
    expect([pages.item(99_999), pages.item(201)]).toEqual(['w99999', 'w201']);
    expect(asked).toEqual([0, 99_800, 200]);
  });
  it('keeps no more than it may', async () => {
    const { pages, asked } = make(3);
    await pages.reset();
    for (let page = 1; page < 6; page++) {
      pages.want(page * 200, page * 200 + 1);
      await settle();
    }
    expect([pages.item(0), pages.item(400), pages.item(1000)]).toEqual([undefined, undefined, 'w1000']);
    pages.want(0, 1);
    await settle();
    expect(pages.item(0)).toBe('w0');
    expect(asked.length).toBe(7);
  });
  it('starts anew and ignores what was on its way', async () => {
    let open: (() => void) | undefined;
    let round = 0;
    const pages = new Pages<string>(10, async () => {
      const mine = ++round;
      if (mine === 1) await new Promise<void>((r) => (open = r));
      return { items: [`round ${mine}`], total: 1 };
    }, () => {});
    const first = pages.reset();
    await pages.reset();
    open?.();
    await first;
    expect(pages.item(0)).toBe('round 2');
  });
});
