import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vite';
import { mock } from './mock/plugin';

// The page is served at wails://wails/, at http://wails.localhost/ and at the
// root of the admin listener, so every address in it is relative. Without
// HAOKE_ADMIN the dev server answers the API itself from fixtures.
const admin = process.env.HAOKE_ADMIN;

export default defineConfig({
  base: './',
  // The page shows an answer by the widget's own reading of Markdown.
  resolve: { alias: { '@widget': fileURLToPath(new URL('../widget/src', import.meta.url)) } },
  plugins: [svelte(), ...(process.env.VITEST ? [svelteTesting()] : []), ...(admin ? [] : [mock()])],
  build: {
    target: ['es2022', 'safari16'],
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: admin ? { proxy: { '/api': { target: admin, ws: true } } } : {},
  // Logic is tested in Node alone, components in a document (a comment at the
  // head of their files says so).
  test: { environment: 'node', include: ['tests/**/*.test.ts'], testTimeout: 120_000 },
} as Parameters<typeof defineConfig>[0]);
