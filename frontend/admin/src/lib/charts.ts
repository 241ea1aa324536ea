import type { Charts, StatsTick } from '../api/types';

/** Aligned columns for the charts: seconds, and a value or a gap a series. */
export interface Columns {
  t: number[];
  step: number;
  values: Record<string, (number | null)[]>;
}

export function columnsOf(charts: Charts): Columns {
  return { t: charts.t, step: Math.max(1, charts.step), values: Object.fromEntries(charts.series.map((s) => [s.name, s.values])) };
}

/**
 * The columns with one more second. Within a step the newest value stands for
 * it; after a hole of more than two steps a gap is drawn, never a line across
 * it. What is older than span seconds goes.
 */
export function append(columns: Columns, tick: StatsTick, span: number): Columns {
  const { step } = columns;
  const at = tick.t - (tick.t % step);
  const last = columns.t.at(-1);
  if (last !== undefined && at < last) return columns;
  const t = [...columns.t];
  const hole = last !== undefined && at - last > 2 * step;
  const fresh = at !== last;
  if (hole) t.push(last + step);
  if (fresh) t.push(at);
  const drop = t.findIndex((x) => x >= at - span);
  const values: Columns['values'] = {};
  for (const [name, old] of Object.entries(columns.values)) {
    const next = [...old];
    if (hole) next.push(null);
    const value = tick.values[name] ?? null;
    if (fresh) next.push(value);
    else if (value !== null) next[next.length - 1] = value;
    values[name] = drop > 0 ? next.slice(drop) : next;
  }
  return { t: drop > 0 ? t.slice(drop) : t, step, values };
}

export const ranges = { '15m': 900, '1h': 3600, '24h': 86400, '7d': 7 * 86400, '30d': 30 * 86400 } as const;
export type Range = keyof typeof ranges;

/** Steps that give each range about 300 to 400 points. */
export const steps: Record<Range, string> = { '15m': '3s', '1h': '10s', '24h': '300s', '7d': '1800s', '30d': '7200s' };

export interface ChartPlan {
  id: string;
  unit: string;
  series: string[];
  area?: boolean;
}

/** An SVG path of the values in a box of 100 by 28; '' when there is nothing to draw. */
export function sparkline(values: readonly (number | null)[], points = 40): string {
  const width = Math.max(1, Math.ceil(values.length / points));
  const means: (number | null)[] = [];
  for (let i = 0; i < values.length; i += width) {
    const some = values.slice(i, i + width).filter((v) => v !== null);
    means.push(some.length ? some.reduce((a, b) => a + b, 0) / some.length : null);
  }
  const known = means.filter((v) => v !== null);
  if (known.length < 2) return '';
  const top = Math.max(...known) || 1;
  let path = '';
  let pen = false;
  means.forEach((v, i) => {
    if (v === null) return void (pen = false);
    const x = ((100 * i) / (means.length - 1)).toFixed(1);
    const y = (27 - (26 * v) / top).toFixed(1);
    path += `${pen ? 'L' : 'M'}${x} ${y}`;
    pen = true;
  });
  return path;
}
