import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connect, Plugin } from 'vite';
import { prefix, routes, type Problem, type RouteName } from '../src/api/types';
import { World } from './world';

/** The policy of the real admin listener, so that a violation shows here first. */
export const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self' ws://127.0.0.1:* ws://localhost:*",
  "frame-src 'self' http://127.0.0.1:* http://localhost:*",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Answers the admin API from fixtures in memory, for working on the page
 * without the appliance: `npm run dev`, and `vite preview` for the built page.
 * ?mock=SCENE in the page's address chooses a scene (see World).
 */
export function mock(): Plugin {
  const worlds = new Map<string, World>();
  const handler: Connect.NextHandleFunction = (request, response, next) => {
    const url = new URL(request.url ?? '/', 'http://mock');
    if (url.pathname === '/demo' || url.pathname === '/chat') return frame(response);
    if (!url.pathname.startsWith(prefix)) return next();
    const referrer = request.headers.referer ? new URL(request.headers.referer) : null;
    const scene = String(request.headers['x-mock'] ?? referrer?.searchParams.get('mock') ?? 'busy');
    let world = worlds.get(scene);
    if (!world) worlds.set(scene, (world = new World(scene, `http://${request.headers.host ?? ''}`)));
    void answer(world, request, response, url);
  };
  return {
    name: 'haoke-mock',
    configureServer(server) {
      server.middlewares.use(handler);
    },
    configurePreviewServer(server) {
      server.middlewares.use((_request, response, next) => {
        response.setHeader('Content-Security-Policy', policy);
        next();
      });
      server.middlewares.use(handler);
    },
  };
}

// Stands for the public listener's pages in the preview.
function frame(response: ServerResponse): void {
  response.setHeader('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'");
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(
    '<!doctype html><meta name="color-scheme" content="light dark"><style>body{margin:0;font:14px system-ui;display:flex;flex-direction:column;height:100vh}header{background:#0f7b6c;color:#fff;padding:16px}p{margin:16px}</style><header><b>Demo shop</b><br><small>AI answers at once. People 9-18.</small></header><p>Hello! How can we help?</p>',
  );
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const path = url.pathname.slice(prefix.length);
  const match = find(request.method ?? 'GET', path);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks).toString();
  let body: unknown = raw;
  if (/json/.test(request.headers['content-type'] ?? '')) body = JSON.parse(raw || 'null');
  const send = (status: number, value: unknown, type = 'application/json') => {
    response.statusCode = status;
    if (value === undefined) return void response.end();
    response.setHeader('Content-Type', type);
    response.end(type.includes('json') ? JSON.stringify(value) : String(value));
  };
  const fail = (problem: Problem) => send(problem.status, problem, 'application/problem+json');
  if (!match) return fail({ type: 'haoke:not-found', title: 'Not found', status: 404 });
  const result = world.answer(match.name, match.params, Object.fromEntries(url.searchParams), body);
  if (result && typeof result === 'object' && 'problem' in result) return fail((result as { problem: Problem }).problem);
  if (result && typeof result === 'object' && 'file' in result && Object.keys(result).length === 1) return send(200, (result as { file: string }).file, 'application/octet-stream');
  send(result === undefined ? 204 : 200, result);
}

// Fixed paths win over those with parameters, as in the real router.
function find(method: string, path: string): { name: RouteName; params: Record<string, string> } | null {
  let best: { name: RouteName; params: Record<string, string>; fixed: number } | null = null;
  for (const [name, [verb, pattern]] of Object.entries(routes) as [RouteName, readonly [string, string, string]][]) {
    if (verb !== method) continue;
    const parts = pattern.split('/');
    const given = path.split('/');
    if (parts.length !== given.length) continue;
    const params: Record<string, string> = {};
    let fixed = 0;
    const fits = parts.every((part, i) => {
      const key = /^\{(\w+)\}$/.exec(part)?.[1];
      if (key) params[key] = decodeURIComponent(given[i]!);
      else fixed++;
      return key !== undefined || part === given[i];
    });
    if (fits && fixed > (best?.fixed ?? -1)) best = { name, params, fixed };
  }
  return best;
}
