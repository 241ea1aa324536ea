import type { SettingField } from '../api/types';

/** What a person typed, as the JSON value of a setting; or why it cannot be one. */
export type Parsed = { ok: true; value: unknown } | { ok: false; why: 'number' | 'whole' | 'min' | 'max' | 'duration' | 'url' | 'addr' | 'json' };

const DURATION = /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/;

/** Reads the text of an input for a field. The server has the last word. */
export function parseSetting(field: Pick<SettingField, 'type' | 'min' | 'max'>, text: string): Parsed {
  const trimmed = text.trim();
  switch (field.type) {
    case 'int':
    case 'float': {
      const number = Number(trimmed.replace(',', '.'));
      if (trimmed === '' || Number.isNaN(number)) return { ok: false, why: 'number' };
      if (field.type === 'int' && !Number.isInteger(number)) return { ok: false, why: 'whole' };
      if (field.min !== undefined && number < field.min) return { ok: false, why: 'min' };
      if (field.max !== undefined && number > field.max) return { ok: false, why: 'max' };
      return { ok: true, value: number };
    }
    case 'duration': {
      const compact = trimmed.replaceAll(' ', '');
      if (/^\d+$/.test(compact)) return { ok: true, value: compact === '0' ? '0s' : `${compact}s` };
      return DURATION.test(compact) ? { ok: true, value: compact } : { ok: false, why: 'duration' };
    }
    case 'strings':
      return { ok: true, value: text.split('\n').map((line) => line.trim()).filter(Boolean) };
    case 'url':
      if (trimmed !== '' && !/^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(trimmed)) return { ok: false, why: 'url' };
      return { ok: true, value: trimmed };
    case 'addr':
      if (!/^(\[[0-9a-f:.]+\]|[^\s:]*):\d{1,5}$/i.test(trimmed)) return { ok: false, why: 'addr' };
      return { ok: true, value: trimmed };
    case 'json':
      try {
        return { ok: true, value: trimmed === '' ? null : (JSON.parse(trimmed) as unknown) };
      } catch {
        return { ok: false, why: 'json' };
      }
    case 'text':
      return { ok: true, value: text };
    default:
      return { ok: true, value: trimmed };
  }
}

/** A column of a setting that is a list of records. */
export interface Column {
  name: string;
  type: 'text' | 'number' | 'clock' | 'days';
}

/** Settings that are lists of records, with their columns. */
export const records: Record<string, Column[]> = {
  'site.hours': [
    { name: 'days', type: 'days' },
    { name: 'open', type: 'clock' },
    { name: 'close', type: 'clock' },
  ],
  'prices.models': [
    { name: 'model', type: 'text' },
    { name: 'input', type: 'number' },
    { name: 'cached', type: 'number' },
    { name: 'output', type: 'number' },
  ],
};

/** Settings that have a better place than a row of the settings page. */
export const elsewhere = new Set(['upstream.base_url', 'upstream.preset', 'upstream.keys', 'upstream.providers', 'widget.look', 'archive.clickhouse']);

/** The text of a setting's JSON value for its input. */
export function settingText(field: Pick<SettingField, 'type'>, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (field.type === 'strings' && Array.isArray(value)) return value.join('\n');
  if (typeof value === 'object') return JSON.stringify(value, null, 1);
  return String(value);
}

/**
 * A secret as people paste it: with spaces, line breaks, quotes, or the whole
 * header around it.
 */
export function cleanSecret(text: string): string {
  return text
    .trim()
    .replace(/^["'`]+|["'`]+$/g, '')
    .replace(/^(authorization:\s*)?bearer\s+/i, '')
    .replace(/[\s\u200b\ufeff]+/g, '');
}

/** A better base URL than the one typed, or '' when nothing is to be said. */
export function betterBaseURL(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  const full = /^[a-z]+:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`;
  let url: URL;
  try {
    url = new URL(full);
  } catch {
    return '';
  }
  const path = url.pathname.replace(/\/(chat\/completions|completions|models)\/?$/, '').replace(/\/+$/, '');
  const better = url.origin + (path === '' ? '/v1' : path);
  return better === trimmed ? '' : better;
}

/** The origin of a page, however much of its address was pasted; '' when it is none. */
export function originOf(text: string): string {
  const trimmed = text.trim();
  try {
    const url = new URL(/^[a-z]+:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`);
    return /^https?:$/.test(url.protocol) && /^localhost$|\.|^\[/.test(url.hostname) ? url.origin : '';
  } catch {
    return '';
  }
}

/** The colour of text on a background: whichever of ink and white reads better. */
export function inkOn(hex: string): string {
  const match = /^#?([0-9a-f]{6}|[0-9a-f]{3})$/i.exec(hex.trim());
  if (!match) return '#ffffff';
  const six = match[1]!.length === 3 ? match[1]!.replace(/./g, '$&$&') : match[1]!;
  const channel = (i: number) => {
    const c = parseInt(six.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const light = 0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4);
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.0622 ? '#ffffff' : '#1f1d1a';
}
