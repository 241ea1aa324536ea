const units = {
  en: { us: 'µs', ms: 'ms', sec: 's', min: 'min', hour: 'h', day: 'd', perMinute: 'min' },
  zh: { us: '微秒', ms: '毫秒', sec: '秒', min: '分钟', hour: '小时', day: '天', perMinute: '分' },
};

/** Words for numbers and times, in the language of the page. */
export class Format {
  private readonly words: typeof units.en;
  private readonly whole: Intl.NumberFormat;
  private readonly one: Intl.NumberFormat;
  private readonly relative: Intl.RelativeTimeFormat;

  constructor(readonly locale: string) {
    this.words = /^zh/.test(locale) ? units.zh : units.en;
    this.whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    this.one = new Intl.NumberFormat(locale, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
    this.relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  }

  count(n: number): string {
    if (Math.abs(n) < 100_000) return this.whole.format(n);
    return new Intl.NumberFormat(this.locale, { notation: 'compact', maximumFractionDigits: 1 }).format(n);
  }

  /** A number with as many places as its size deserves. */
  short(n: number): string {
    if (n === 0) return '0';
    const places = Math.abs(n) >= 100 ? 0 : Math.abs(n) >= 10 ? 1 : 2;
    return new Intl.NumberFormat(this.locale, { maximumFractionDigits: places }).format(n);
  }

  percent(part: number): string {
    return new Intl.NumberFormat(this.locale, { style: 'percent', maximumFractionDigits: part < 0.1 ? 1 : 0 }).format(part);
  }

  /** Money; small sums keep their first two figures. */
  money(amount: number, currency: string): string {
    const places = amount === 0 || Math.abs(amount) >= 0.1 ? 2 : Math.min(6, 1 - Math.floor(Math.log10(Math.abs(amount))));
    try {
      return new Intl.NumberFormat(this.locale, {
        style: 'currency',
        currency,
        currencyDisplay: 'narrowSymbol',
        minimumFractionDigits: 2,
        maximumFractionDigits: places,
      }).format(amount);
    } catch {
      return `${amount.toFixed(places)} ${currency}`;
    }
  }

  /** Money where it is read at a glance: no more places than the currency has. */
  sum(amount: number, currency: string): string {
    return amount > 0 && amount < 0.005 ? `< ${this.money(0.01, currency)}` : this.money(Math.round(amount * 100) / 100, currency);
  }

  /** A duration from seconds: 640 ms, 2.1 s, 4 min, 3 h, 2 d. */
  seconds(s: number): string {
    const { us, ms, sec, min, hour, day } = this.words;
    if (s <= 0) return '0';
    if (s < 0.001) return `${this.short(s * 1e6)} ${us}`;
    if (s < 0.1) return `${this.short(s * 1000)} ${ms}`;
    if (s < 1) return `${this.whole.format(s * 1000)} ${ms}`;
    if (s < 60) return `${this.one.format(s)} ${sec}`;
    if (s < 3600) return `${this.whole.format(Math.floor(s / 60))} ${min}`;
    if (s < 86400) return `${this.short(Math.floor(s / 360) / 10)} ${hour}`;
    return `${this.whole.format(Math.floor(s / 86400))} ${day}`;
  }

  bytes(n: number): string {
    const units = ['B', 'KB', 'MB', 'GB', 'TB'];
    let i = 0;
    while (n >= 1000 && i < units.length - 1) {
      n /= 1000;
      i++;
    }
    return `${i === 0 ? this.whole.format(n) : this.short(n)} ${units[i]}`;
  }

  /** How long ago, for lists: now, 4 min, 3 h, Mon, 12 Mar. */
  ago(at: string | number | Date, now: number = Date.now()): string {
    const then = new Date(at).getTime();
    const s = Math.max(0, (now - then) / 1000);
    if (s < 45) return this.relative.format(0, 'second');
    if (s < 3600) return `${Math.max(1, Math.round(s / 60))} ${this.words.min}`;
    if (s < 86400) return `${Math.round(s / 3600)} ${this.words.hour}`;
    if (s < 6 * 86400) return new Intl.DateTimeFormat(this.locale, { weekday: 'short' }).format(then);
    return this.date(at);
  }

  date(at: string | number | Date): string {
    const day = new Date(at);
    const year = day.getFullYear() === new Date().getFullYear() ? undefined : ('numeric' as const);
    return new Intl.DateTimeFormat(this.locale, { day: 'numeric', month: 'short', year }).format(day);
  }

  time(at: string | number | Date): string {
    return new Intl.DateTimeFormat(this.locale, { hour: '2-digit', minute: '2-digit', hour12: false }).format(new Date(at));
  }

  clock(at: string | number | Date): string {
    const f = new Intl.DateTimeFormat(this.locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
    return f.format(new Date(at));
  }

  moment(at: string | number | Date): string {
    return `${this.date(at)} ${this.time(at)}`;
  }

  /** A value of a chart in its unit. */
  unit(value: number | null | undefined, unit: string, currency: string): string {
    if (value === null || value === undefined || Number.isNaN(value)) return '–';
    switch (unit) {
      case 'seconds':
        return this.seconds(value);
      case 'bytes':
        return this.bytes(value);
      case 'percent':
        return `${this.short(value)} %`;
      case 'money':
        return this.money(value, currency);
      case 'per_second':
        return `${this.short(value)}/${this.words.sec}`;
      case 'per_minute':
        return `${this.short(value)}/${this.words.perMinute}`;
      case 'ratio':
        return `${this.short(value)}:1`;
      default:
        return Math.abs(value) < 10 && !Number.isInteger(value) ? this.short(value) : this.count(value);
    }
  }
}
