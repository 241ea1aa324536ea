import { describe, expect, it } from 'vitest';
import { anyFacts, happenings } from '../src/lib/facts';

describe('facts', () => {
  it('puts events and pages in one order, the latest first', () => {
    const all = happenings({
      events: [{ at: '2026-03-01T10:02:00Z', name: 'added to cart', data: 'tea' }],
      pages: [{ at: '2026-03-01T10:01:00Z', url: 'https://shop.example/tea', title: 'Tea' }, { at: '2026-03-01T10:03:00Z', url: 'https://shop.example/pay' }],
    });
    expect(all.map((h) => h.name)).toEqual(['https://shop.example/pay', 'added to cart', 'Tea']);
    expect(all[1]!.url).toBeUndefined();
  });
  it('knows nothing from something', () => {
    expect(anyFacts(undefined)).toBe(false);
    expect(anyFacts({})).toBe(false);
    expect(anyFacts({ attributes: {}, tags: [] })).toBe(false);
    expect(anyFacts({ answers: { order: '1' } })).toBe(true);
  });
});
