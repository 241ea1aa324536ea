import { defineConfig } from 'vitest/config'

export default defineConfig({
  define: { __V__: '"test"' },
  test: { environment: 'jsdom', include: ['test/**/*.test.ts'], css: { include: /.*/ }, testTimeout: 120_000 },
})
