// Starts the real programs: `haoked sim` as the upstream and `haoked serve` on
// free ports with a data folder of its own.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** The daemon; HAOKE_DAEMON names another one. */
export const BIN = process.env.HAOKE_DAEMON || join(import.meta.dirname, '../../../build/bin/haoked')
/** Whether tests with it can be: where everything is wanted a missing one is their failure. */
export const haveDaemon = () => existsSync(BIN) || !!process.env.HAOKE_TEST_REQUIRE

/** Starts `haoked ARGS` and resolves with the first line of stdout that fits. */
function start(args, line, env = {}) {
  // What configures the tests, or the appliance of whoever runs them, is not this one's.
  const own = Object.fromEntries(Object.entries(process.env).filter(([k]) => !k.startsWith('HAOKE_')))
  const child = spawn(BIN, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...own, ...env } })
  let errors = ''
  child.stderr.on('data', d => (errors = (errors + d).slice(-8000)))
  const gone = new Promise(r => child.once('exit', r))
  const ready = new Promise((ok, bad) => {
    const timer = setTimeout(() => bad(new Error(`haoked ${args[0]} was not ready in 20 s: ${errors}`)), 20_000)
    createInterface({ input: child.stdout }).on('line', l => {
      const m = line.exec(l)
      if (m) clearTimeout(timer), ok(m)
    })
    gone.then(code => (clearTimeout(timer), bad(new Error(`haoked ${args[0]} ended with ${code}: ${errors}`))))
    child.once('error', e => (clearTimeout(timer), bad(e)))
  })
  return {
    child,
    ready,
    errors: () => errors,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null) child.kill(signal)
      return gone
    },
  }
}

/** Starts the simulator; resolves with { url, stop }; the API is at `url`/v1. */
export async function startSim(args = []) {
  const p = start(['sim', '--addr', '127.0.0.1:0', ...args], /^ready url=(http:\/\/[^\s/]+)/)
  const m = await p.ready
  return { ...p, url: m[1] }
}

/**
 * Starts the appliance; resolves with { public, admin, data, stop, restart }.
 * `config` is the text of a config.toml. `publicAddr` and `adminAddr` null:
 * those of the settings, which the admin page may then change.
 */
export async function startServe({ config = '', data = mkdtempSync(join(tmpdir(), 'haoke-e2e-')), publicAddr = '127.0.0.1:0', adminAddr = '127.0.0.1:0', args = [] } = {}) {
  const file = join(data, 'config.toml')
  writeFileSync(file, config)
  const p = start(['serve', '--config', file, '--data', data, ...(publicAddr ? ['--public', publicAddr] : []), ...(adminAddr ? ['--admin', adminAddr] : []), ...args], /^ready public=(\S+) admin=(\S+)/)
  const m = await p.ready
  return {
    ...p,
    public: m[1],
    admin: m[2],
    data,
    /** Stops it and starts it again on the same ports and data. */
    async restart(signal) {
      await p.stop(signal)
      return startServe({ config, data, publicAddr: publicAddr && new URL(m[1]).host, adminAddr: adminAddr && new URL(m[2]).host, args })
    },
    async end() {
      await p.stop()
      rmSync(data, { recursive: true, force: true })
    },
  }
}
