/**
 * Where a page goes that came from the admin address `was` when that is `now`:
 * an address, 'unreachable' for one that only the appliance's own machine has,
 * '' to stay: it came by a proxy, which goes on to serve it.
 */
export function whither(here: { protocol: string; hostname: string; port: string; hash: string }, was: string, now: string, anywhere: boolean): string {
  const from = new URL(was);
  const to = new URL(now);
  if (from.port !== here.port || from.protocol !== here.protocol) return '';
  const same = anywhere || here.hostname === to.hostname || (own(here.hostname) && own(to.hostname));
  if (!same && own(to.hostname)) return 'unreachable';
  return `${to.protocol}//${same ? here.hostname : to.hostname}${to.port && `:${to.port}`}/${here.hash}`;
}

/** Names of the machine for itself. */
const own = (host: string) => host === 'localhost' || host === '[::1]' || host.endsWith('.localhost') || /^127(\.\d+){3}$/.test(host);
