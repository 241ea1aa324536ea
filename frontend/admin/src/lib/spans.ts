/** A stretch of text, marked or not. */
export interface Segment {
  text: string;
  /** Indices of the hits that cover it; empty: clean. */
  hits: number[];
}

/**
 * Cuts a text at the borders of hits. Hits are half-open ranges of UTF-8 bytes,
 * as Go counts them; JavaScript counts UTF-16 units, so the text is cut as
 * bytes. Ranges may overlap, touch, or lie outside; empty ones are ignored.
 */
export function segments(text: string, hits: readonly { start: number; end: number }[]): Segment[] {
  const bytes = new TextEncoder().encode(text);
  const cuts = new Set([0, bytes.length]);
  for (const hit of hits) {
    if (hit.end <= hit.start) continue;
    cuts.add(clamp(hit.start, bytes.length));
    cuts.add(clamp(hit.end, bytes.length));
  }
  const borders = [...cuts].sort((a, b) => a - b);
  const decoder = new TextDecoder();
  const out: Segment[] = [];
  for (let i = 0; i + 1 < borders.length; i++) {
    const from = borders[i]!;
    const to = borders[i + 1]!;
    const covering = hits.flatMap((hit, index) => (hit.end > hit.start && hit.start <= from && hit.end >= to ? [index] : []));
    out.push({ text: decoder.decode(bytes.subarray(from, to)), hits: covering });
  }
  return out;
}

const clamp = (n: number, max: number) => Math.min(Math.max(n, 0), max);
