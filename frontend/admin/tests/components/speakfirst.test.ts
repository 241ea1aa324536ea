// @vitest-environment jsdom
import './setup';
import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SiteProactive } from '../../src/api/types';
import { i18n } from '../../src/i18n/index.svelte';
import SpeakFirst from '../../src/pages/widget/SpeakFirst.svelte';

beforeEach(() => i18n.set('en'));

/** The editor with what it was last told to keep. */
function open(rules: SiteProactive[], disabled = false) {
  const onchange = vi.fn((next: SiteProactive[]) => void view.rerender({ rules: next }));
  const view = render(SpeakFirst, { rules, disabled, error: '', onchange });
  return { onchange, last: () => onchange.mock.lastCall?.[0] };
}
const texts = () => screen.getAllByLabelText<HTMLInputElement>('What the widget says');
const write = (box: HTMLElement, value: string) => fireEvent.change(box, { target: { value } });

describe('the rules that speak first', () => {
  it('begin with an empty line, and are stored once they say something', async () => {
    const { onchange, last } = open([]);
    expect(texts()).toHaveLength(1);
    await write(texts()[0]!, '   ');
    expect(onchange).not.toHaveBeenCalled();
    await write(texts()[0]!, ' May we help? ');
    expect(last()).toEqual([{ text: 'May we help?' }]);
  });
  it('are several, each with its own conditions, and keep what the others have', async () => {
    const { last } = open([{ text: 'Tea?', path: '/tea/*', scroll: 50 }]);
    await fireEvent.click(screen.getByText('Add a rule'));
    expect(screen.queryByText('Add a rule')).toBeNull(); // one unfinished line is enough
    await write(texts()[1]!, 'Help?');
    await write(screen.getAllByLabelText('After seconds')[1]!, '99999');
    expect(last()).toEqual([{ text: 'Tea?', path: '/tea/*', scroll: 50 }, { text: 'Help?', after: 3600 }]);
    await write(screen.getAllByLabelText('After scrolling, %')[0]!, '-3');
    expect(last()![0]).toEqual({ text: 'Tea?', path: '/tea/*', scroll: 0 });
  });
  it('change their order, because the first that fits is said', async () => {
    const { last } = open([{ text: 'a' }, { text: 'b', open: true }, { text: 'c' }]);
    expect(screen.getByText('The first rule that fits is said.')).toBeTruthy();
    await fireEvent.click(screen.getAllByLabelText('Before the one above')[1]!);
    expect(last()!.map((r) => r.text)).toEqual(['a', 'c', 'b']);
  });
  it('are removed by their button or by an empty sentence', async () => {
    const { last } = open([{ text: 'a' }, { text: 'b' }]);
    await fireEvent.click(screen.getAllByLabelText('Delete')[0]!);
    expect(last()).toEqual([{ text: 'b' }]);
    await write(texts()[0]!, '');
    expect(last()).toEqual([]);
  });
  it('are ten at most', () => {
    open(Array.from({ length: 10 }, (_, i) => ({ text: `rule ${i}` })));
    expect(texts()).toHaveLength(10);
    expect(screen.queryByText('Add a rule')).toBeNull();
  });
  it('cannot be touched where the look is locked', () => {
    open([{ text: 'a' }, { text: 'b' }], true);
    expect(texts().every((box) => box.disabled)).toBe(true);
    expect(screen.queryByText('Add a rule')).toBeNull();
    expect(screen.queryByLabelText('Delete')).toBeNull();
  });
});
