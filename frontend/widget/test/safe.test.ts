import { expect, test } from 'vitest'
import { uid } from '../src/safe'

test('ids differ, follow one another, and are as short as the server allows', () => {
  const made = Array.from({ length: 2000 }, uid)
  expect(new Set(made).size).toBe(2000)
  const [page, first] = made[0]!.split('-')
  for (const [i, id] of made.entries()) {
    expect(id).toMatch(/^\d{1,10}-\d{1,10}$/)
    expect(id).toBe(page + '-' + ((Number(first) + i) % 2 ** 32))
  }
})
