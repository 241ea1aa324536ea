import { describe, expect, it } from 'vitest';
import { prechatFields, prechatLines } from '../src/lib/prechat';

const labels = { name: 'Name', email: 'E-mail', phone: 'Phone' };

describe('questions before the chat', () => {
  it('are lines with a star, known ones in every language', () => {
    const fields = prechatFields(' Name *\nE-mail\n\nOrder number＊\n电话\nname\n');
    expect(fields).toEqual([{ name: 'name', required: true }, { name: 'email' }, { name: 'Order number', label: 'Order number', required: true }, { name: 'phone' }]);
    expect(prechatLines(fields, labels)).toBe('Name *\nE-mail\nOrder number *\nPhone');
    expect(prechatFields(prechatLines(fields, labels))).toEqual(fields);
  });
  it('are at most eight', () => {
    expect(prechatFields(Array.from({ length: 20 }, (_, i) => 'q' + i).join('\n'))).toHaveLength(8);
    expect(prechatFields(' * \n\n')).toEqual([]);
    expect(prechatLines(undefined, labels)).toBe('');
  });
});
