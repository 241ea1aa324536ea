import { describe, expect, it } from 'vitest';
import { Format } from '../src/lib/format';

const f = new Format('en');

describe('Format', () => {
  it('chooses the unit of a duration', () => {
    expect([0, 0.00000041, 0.0012, 0.041, 0.64, 2.11, 131, 7300, 200_000].map((s) => f.seconds(s))).toEqual(['0', '0.41 µs', '1.2 ms', '41 ms', '640 ms', '2.1 s', '2 min', '2 h', '2 d']);
  });
  it('keeps the first two figures of small sums', () => {
    expect(f.money(3.2, 'USD')).toBe('$3.20');
    expect(f.money(0.0004, 'USD')).toBe('$0.0004');
    expect(f.money(0.00041, 'USD')).toBe('$0.00041');
    expect(f.money(0, 'USD')).toBe('$0.00');
    expect([0, 0.000032, 0.0149, 3.2].map((n) => f.sum(n, 'USD'))).toEqual(['$0.00', '< $0.01', '$0.01', '$3.20']);
    expect(f.money(1, 'not a currency')).toBe('1.00 not a currency');
  });
  it('writes bytes, counts and units', () => {
    expect(f.bytes(999)).toBe('999 B');
    expect(f.bytes(48_900_000)).toBe('48.9 MB');
    expect(f.count(98_400)).toBe('98,400');
    expect(f.count(200_000)).toBe('200K');
    expect(f.unit(null, 'seconds', 'USD')).toBe('–');
    expect(f.unit(0.25, 'per_second', 'USD')).toBe('0.25/s');
    expect(f.unit(14.2, 'ratio', 'USD')).toBe('14.2:1');
    expect(f.unit(0.5, 'count', 'USD')).toBe('0.5'); // an axis of small counts
    expect(f.unit(7, 'count', 'USD')).toBe('7');
  });
  it('says it in Chinese', () => {
    const zh = new Format('zh-CN');
    expect([0.00041, 0.041, 2.11, 131, 7300, 200_000].map((s) => zh.seconds(s))).toEqual(['410 微秒', '41 毫秒', '2.1 秒', '2 分钟', '2 小时', '2 天']);
    expect([zh.unit(12, 'per_minute', 'CNY'), zh.unit(0.5, 'per_second', 'CNY')]).toEqual(['12/分', '0.5/秒']);
    expect(zh.ago(Date.now() - 240_000)).toBe('4 分钟');
  });
  it('says how long ago', () => {
    const now = Date.UTC(2026, 10, 22, 12);
    expect(f.ago(now - 10_000, now)).toBe('now');
    expect(f.ago(now - 240_000, now)).toBe('4 min');
    expect(f.ago(now - 3 * 3600_000, now)).toBe('3 h');
    expect(f.ago(now + 60_000, now)).toBe('now'); // a clock that is ahead
  });
});
