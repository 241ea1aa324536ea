// A visitor who asks one question over the WebSocket of the contract and waits
// for the durable answer: node ask.mjs URL [QUESTION [TOKEN]]. Prints the answer
// and, last, the token with which the conversation can be resumed; with a TOKEN
// what was said before is replayed and counted first. No package needed.
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';

const [, , base, question = 'How can I return something?', token] = process.argv;
const url = new URL('/v1/chat?site=default', base);
let last = 'nothing came';
const late = setTimeout(() => fail(`no answer within 60 s; ${last}`), 60_000);

function fail(why) {
  console.error(`ask: ${why}`);
  process.exit(1);
}

/** One text frame, masked as a client's must be. */
function frame(object) {
  const body = Buffer.from(JSON.stringify(object));
  const head = body.length < 126 ? Buffer.from([0x81, 0x80 | body.length]) : Buffer.from([0x81, 0xfe, body.length >> 8, body.length & 255]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, body.map((b, i) => b ^ mask[i & 3])]);
}

const upgrade = request(url, {
  headers: {
    Connection: 'Upgrade', Upgrade: 'websocket', Origin: new URL(base).origin, 'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'haoke.v1', 'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
  },
});
upgrade.on('response', (r) => fail(`HTTP ${r.statusCode} in place of a WebSocket`));
upgrade.on('error', (e) => fail(e.message));
upgrade.on('upgrade', (_, socket, head) => {
  let rest = head;
  let mine = 0;
  let replayed = 0;
  let given = token;
  const send = (o) => socket.write(frame(o));
  const seen = {
    welcome(m) {
      given = m.token;
      send({ type: 'message', id: randomBytes(8).toString('hex'), text: question });
    },
    ack(m) {
      mine = m.seq;
    },
    message(m) {
      if (!mine) replayed++;
      if (!mine || m.seq <= mine || m.from === 'visitor') return;
      clearTimeout(late);
      if (token) console.log(`replayed ${replayed}`);
      console.log(`${m.from}: ${m.text.split('\n')[0]}`);
      console.log(given);
      socket.end();
      process.exit(m.text ? 0 : 1);
    },
    error(m) {
      fail(`${m.code}: ${m.message}`);
    },
  };
  socket.on('close', () => fail('the connection was closed'));
  socket.on('data', (d) => {
    rest = Buffer.concat([rest, d]);
    for (;;) {
      if (rest.length < 2) return;
      let size = rest[1] & 127;
      let at = 2;
      const short = size;
      if (short === 126) [size, at] = [rest.length < 4 ? Infinity : rest.readUInt16BE(2), 4];
      if (short === 127) [size, at] = [rest.length < 10 ? Infinity : Number(rest.readBigUInt64BE(2)), 10];
      if (rest.length < at + size) return;
      const [code, body] = [rest[0] & 15, rest.subarray(at, at + size)];
      rest = rest.subarray(at + size);
      if (code === 8) fail(`closed with ${body.length > 1 ? body.readUInt16BE(0) : 'no code'}`);
      if (code !== 1) continue;
      const m = JSON.parse(body.toString());
      last = `the last frame was ${body}`;
      seen[m.type]?.(m);
    }
  });
  send(token ? { type: 'hello', token, after: 0 } : { type: 'hello' });
});
upgrade.end();
