import type { Action, FilterDraft } from '../../api/types';

/** What stands in the draft's fields. */
export interface DraftFields {
  words: string;
  patterns: string;
  allow: string;
  action: Action;
  alone: boolean;
}

const lines = (text: string) => text.split('\n').map((line) => line.trim()).filter(Boolean);

/** The draft as the API takes it, null while there is nothing in it. */
export function draftOf(fields: DraftFields): FilterDraft | null {
  const words = lines(fields.words);
  const allow = lines(fields.allow);
  const patterns = lines(fields.patterns).map((expr) => ({ name: expr.slice(0, 60), expr }));
  if (!words.length && !patterns.length && !allow.length && !fields.alone) return null;
  return { alone: fields.alone, words, patterns, allow, category: '', action: fields.action, replace: '' };
}

/** The place of a hit in characters, counted from 1; hits are counted in UTF-8 bytes. */
export function characters(text: string, hit: { start: number; end: number }): { from: number; to: number } {
  const bytes = new TextEncoder().encode(text);
  const count = (end: number) => [...new TextDecoder().decode(bytes.subarray(0, end))].length;
  return { from: count(hit.start) + 1, to: count(hit.end) };
}
