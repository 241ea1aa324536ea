import { beforeEach, describe, expect, it } from 'vitest';
import { Live, type LiveState } from '../src/api/live';
import type { LiveEvent, LivePoll } from '../src/api/types';

class FakeSocket {
  readyState = 0;
  sent: unknown[] = [];
  onopen: () => void = () => {};
  onmessage: (message: { data: string }) => void = () => {};
  onclose: () => void = () => {};
  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }
  close(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose();
  }
  open(): void {
    this.readyState = 1;
    this.onopen();
  }
  event(event: Partial<LiveEvent>): void {
    this.onmessage({ data: JSON.stringify({ n: 0, at: '', ...event }) });
  }
}

const settle = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

let sockets: FakeSocket[];
let timers: { ms: number; fn: () => void }[];
let polls: { after: number; watch: string; logs: string }[];
let answers: (LivePoll | Error)[];
let tickets: boolean;
let live: Live;
let seen: LiveEvent[];
let states: LiveState[];
let gaps: number;

beforeEach(() => {
  [sockets, timers, polls, answers, seen, states, gaps, tickets] = [[], [], [], [], [], [], 0, true];
  live = new Live({
    ticket: async () => {
      if (!tickets) throw new Error('no appliance');
      return { ticket: 't', url: 'ws://127.0.0.1/live', expires_at: '' };
    },
    poll: async (after, watch, logs) => {
      polls.push({ after, watch, logs });
      const next = answers.shift() ?? { events: [], last: after, gap: false };
      if (next instanceof Error) throw next;
      return next;
    },
    socket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    later: (ms, fn) => {
      const timer = { ms, fn };
      timers.push(timer);
      return () => (timers = timers.filter((t) => t !== timer));
    },
    random: () => 1,
  });
  live.on((event) => seen.push(event));
  live.onState = (state) => states.push(state);
  live.onGap = () => gaps++;
});

/** Runs the next timer of this length. */
function elapse(ms?: number): void {
  const timer = ms === undefined ? timers[0] : timers.find((t) => t.ms === ms);
  if (!timer) throw new Error(`no timer of ${ms} ms among ${timers.map((t) => t.ms).join()}`);
  timers = timers.filter((t) => t !== timer);
  timer.fn();
}

describe('Live', () => {
  it('greets with what it wants, and delivers each kept event once', async () => {
    live.watch('c1');
    live.follow('warn');
    live.start();
    await settle();
    const socket = sockets[0]!;
    socket.open();
    expect(socket.sent).toEqual([{ type: 'watch', conversation: 'c1' }, { type: 'logs', level: 'warn' }]);
    socket.event({ type: 'hello', n: 40 });
    socket.event({ type: 'gone', n: 41, id: 'x' });
    socket.event({ type: 'gone', n: 41, id: 'x' });
    socket.event({ type: 'stats', n: 0 });
    expect(seen.map((e) => e.type)).toEqual(['gone', 'stats']);
    expect(states).toEqual(['socket']);
  });

  it('asks for what it missed after a cut', async () => {
    live.start();
    await settle();
    sockets[0]!.open();
    sockets[0]!.event({ type: 'hello', n: 40 });
    sockets[0]!.event({ type: 'gone', n: 41 });
    sockets[0]!.close();
    elapse();
    await settle();
    sockets[1]!.open();
    expect(sockets[1]!.sent).toContainEqual({ type: 'after', after: 41 });
    sockets[1]!.event({ type: 'hello', n: 50, gap: true });
    expect(gaps).toBe(1);
    sockets[1]!.event({ type: 'gone', n: 45 });
    expect(seen.map((e) => e.n)).toEqual([41, 45]);
  });

  it('polls where no socket is to be had, and tries the socket again later', async () => {
    answers = [{ events: [{ n: 8, at: '', type: 'faq' }], last: 9, gap: false }];
    live.watch('c2');
    live.start();
    await settle();
    sockets[0]!.close();
    await settle();
    expect(states).toEqual(['polling']);
    elapse(1000);
    await settle();
    expect(polls).toEqual([{ after: 0, watch: 'c2', logs: '' }, { after: 9, watch: 'c2', logs: '' }]);
    for (let i = 0; i < 58; i++) {
      elapse(1000);
      await settle();
    }
    expect(sockets.length).toBe(2);
  });

  it('says that it is down only when a second try failed, and backs off without end', async () => {
    tickets = false;
    live.start();
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      await settle();
      waits.push(timers[0]!.ms);
      elapse();
    }
    expect(states).toEqual(['down']);
    expect(waits).toEqual([1000, 2000, 4000, 8000, 15000, 15000, 15000, 15000, 15000]);
    tickets = true;
    await settle();
    elapse();
    await settle();
    sockets.at(-1)!.open();
    expect(states).toEqual(['down', 'socket']);
  });

  it('closes a socket that has gone silent', async () => {
    live.start();
    await settle();
    sockets[0]!.open();
    elapse(6000);
    expect(sockets[0]!.readyState).toBe(3);
    elapse();
    await settle();
    expect(sockets.length).toBe(2);
  });

  it('ignores nonsense', async () => {
    live.start();
    await settle();
    sockets[0]!.open();
    for (const data of ['', '{', 'null', '[]', '{"type":4}']) sockets[0]!.onmessage({ data });
    expect(seen).toEqual([]);
  });

  it('stops for good', async () => {
    live.start();
    await settle();
    sockets[0]!.open();
    live.stop();
    expect(timers).toEqual([]);
    expect(sockets[0]!.readyState).toBe(3);
  });
});
