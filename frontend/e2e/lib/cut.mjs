import { connect, createServer } from 'node:net'

/** A TCP relay in front of a port of this machine whose connections can be dropped. */
export function cuttable(target) {
  const open = new Set()
  const server = createServer(client => {
    const up = connect(Number(target), '127.0.0.1')
    for (const s of [client, up]) {
      open.add(s)
      s.on('error', () => {})
      s.on('close', () => (open.delete(s), client.destroy(), up.destroy()))
    }
    client.pipe(up).pipe(client)
  })
  return new Promise(r => server.listen(0, '127.0.0.1', () => r({
    port: server.address().port,
    drop: () => open.forEach(s => s.destroy()),
    end: () => (open.forEach(s => s.destroy()), server.close()),
  })))
}
