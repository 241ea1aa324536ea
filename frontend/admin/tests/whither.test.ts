import { expect, test } from 'vitest';
import { whither } from '../src/lib/whither';

const page = (address: string) => new URL(address) as URL & { hash: string };

test.each([
  ['another port', 'http://127.0.0.1:8788/#/settings', 'http://127.0.0.1:9000', false, 'http://127.0.0.1:9000/#/settings'],
  ['by another name of this machine', 'http://localhost:8788/#/keys', 'http://127.0.0.1:9000', false, 'http://localhost:9000/#/keys'],
  ['to the network, seen from here', 'http://localhost:8788/', 'http://127.0.0.1:8788', true, 'http://localhost:8788/'],
  ['to one address of the network', 'http://127.0.0.1:8788/#/', 'http://192.168.1.5:9000', false, 'http://192.168.1.5:9000/#/'],
  ['another port, seen from the network', 'http://192.168.1.5:8788/#/', 'http://127.0.0.1:9000', true, 'http://192.168.1.5:9000/#/'],
  ['back to the machine alone', 'http://192.168.1.5:8788/#/', 'http://127.0.0.1:9000', false, 'unreachable'],
  ['the same port, for the machine alone', 'http://192.168.1.5:8788/#/', 'http://127.0.0.1:8788', false, 'unreachable'],
  ['behind a proxy', 'http://chat.shop.example/#/', 'http://127.0.0.1:9000', false, ''],
  ['behind a proxy with TLS', 'https://chat.shop.example:8788/#/', 'http://127.0.0.1:9000', false, ''],
  ['the default port', 'http://127.0.0.1:8788/#/', 'http://127.0.0.1', false, 'http://127.0.0.1/#/'],
])('%s', (_, here, now, anywhere, to) => {
  expect(whither(page(here), 'http://127.0.0.1:8788', now, anywhere)).toBe(to);
});
