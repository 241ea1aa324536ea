// The whole house for a file of tests: a browser, the simulator, the appliance
// in front of it.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { launch } from './browser.mjs'
import { haveDaemon, startServe, startSim } from './daemon.mjs'
import { config } from './office.mjs'

/** Where pictures for people go. */
export const SHOTS = join(import.meta.dirname, '../../../build/shots')

/** A test's reason to be skipped; false when the daemon is built. */
export const skip = !haveDaemon() && 'build/bin/haoked is missing'

/** Opens everything; `more` is added to config.toml. `close` ends what was opened. */
export async function open(more = '') {
  mkdirSync(SHOTS, { recursive: true })
  const opened = []
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end()
  }
  try {
    const browser = await launch()
    opened.push(() => browser.close())
    const sim = await startSim(['--latency', '50ms', '--pace', '5ms'])
    opened.push(() => sim.stop())
    const serve = await startServe({ config: config(sim, more) })
    opened.push(() => serve.end())
    return { browser, sim, serve, close }
  } catch (error) {
    await close()
    throw error
  }
}
