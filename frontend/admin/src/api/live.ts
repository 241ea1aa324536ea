import type { LiveCommand, LiveEvent, LivePoll, LiveTicket } from './types';

export type LiveState = 'connecting' | 'socket' | 'polling' | 'down';

/** What the live connection needs from outside; tests give their own. */
export interface LiveDeps {
  ticket(): Promise<LiveTicket>;
  poll(after: number, watch: string, logs: string): Promise<LivePoll>;
  socket(url: string): WebSocket;
  /** Calls back after some milliseconds; returns its cancellation. */
  later(ms: number, fn: () => void): () => void;
  random(): number;
}

type Listener = (event: LiveEvent) => void;

const POLL_MS = 1000;
/** After so many polls the socket is tried again. */
const POLLS_BEFORE_SOCKET = 60;
const MAX_BACKOFF_MS = 15000;
/** A socket sends a tick each second; silence means that it is dead. */
const SILENCE_MS = 6000;

/**
 * One connection for everything live: a socket opened with a single-use ticket,
 * and polling with a cursor where no socket is to be had. Events that were
 * missed while it was away are fetched by their number; if the server no longer
 * has them, onGap tells the pages to reload what they show.
 */
export class Live {
  state: LiveState = 'connecting';
  onState: (state: LiveState) => void = () => {};
  onGap: () => void = () => {};

  private last = 0;
  private watching = '';
  private logs = '';
  private readonly listeners = new Set<Listener>();
  private socket: WebSocket | null = null;
  private cancel: () => void = () => {};
  private cancelSilence: () => void = () => {};
  private failures = 0;
  private polls = 0;
  private stopped = true;
  private round = 0;

  constructor(private readonly deps: LiveDeps) {}

  /** Listens to every event; returns its own removal. */
  on(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    void this.open();
  }

  stop(): void {
    this.stopped = true;
    this.round++;
    this.cancel();
    this.cancelSilence();
    this.socket?.close();
    this.socket = null;
  }

  /** Asks for the drafts of one conversation; '' for none. */
  watch(conversation: string): void {
    this.watching = conversation;
    this.send({ type: 'watch', conversation });
  }

  /** Asks for log lines of at least this level; '' for none. */
  follow(level: string): void {
    this.logs = level;
    this.send({ type: 'logs', level });
  }

  private send(command: LiveCommand): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(command));
  }

  private set(state: LiveState): void {
    if (state === this.state) return;
    this.state = state;
    this.onState(state);
  }

  private async open(): Promise<void> {
    const round = ++this.round;
    let ticket: LiveTicket;
    try {
      ticket = await this.deps.ticket();
    } catch {
      if (round === this.round) this.retry();
      return;
    }
    if (this.stopped || round !== this.round) return;
    let socket: WebSocket;
    try {
      socket = this.deps.socket(ticket.url);
    } catch {
      this.polls = 0;
      void this.poll(round);
      return;
    }
    this.socket = socket;
    let greeted = false;
    socket.onopen = () => {
      greeted = true;
      this.failures = 0;
      this.set('socket');
      if (this.last) this.send({ type: 'after', after: this.last });
      if (this.watching) this.send({ type: 'watch', conversation: this.watching });
      if (this.logs) this.send({ type: 'logs', level: this.logs });
      this.listenForSilence(socket);
    };
    socket.onmessage = (message) => {
      this.listenForSilence(socket);
      const event = parse(message.data);
      if (event) this.take(event);
    };
    socket.onclose = () => {
      if (this.socket !== socket || this.stopped) return;
      this.socket = null;
      this.cancelSilence();
      if (greeted) return this.retry();
      // No socket to be had here (a proxy, a foreign origin): poll.
      this.polls = 0;
      void this.poll(round);
    };
  }

  private listenForSilence(socket: WebSocket): void {
    this.cancelSilence();
    this.cancelSilence = this.deps.later(SILENCE_MS, () => {
      if (this.socket === socket) socket.close();
    });
  }

  private retry(): void {
    if (this.stopped) return;
    this.failures++;
    this.set(this.failures > 1 ? 'down' : 'connecting');
    const ceiling = Math.min(MAX_BACKOFF_MS, 500 * 2 ** Math.min(this.failures, 6));
    this.cancel();
    this.cancel = this.deps.later(ceiling * (0.5 + this.deps.random() / 2), () => void this.open());
  }

  private async poll(round: number): Promise<void> {
    if (this.stopped || round !== this.round) return;
    try {
      const answer = await this.deps.poll(this.last, this.watching, this.logs);
      if (this.stopped || round !== this.round) return;
      this.failures = 0;
      this.set('polling');
      if (answer.last < this.last) this.last = 0;
      for (const event of answer.events) this.take(event);
      if (answer.gap) this.onGap();
      this.last = Math.max(this.last, answer.last);
    } catch {
      if (round === this.round) this.retry();
      return;
    }
    if (++this.polls >= POLLS_BEFORE_SOCKET) return void this.open();
    this.cancel = this.deps.later(POLL_MS, () => void this.poll(round));
  }

  private take(event: LiveEvent): void {
    if (event.type === 'hello') {
      if (event.gap) this.onGap();
      // The numbers have begun anew: what comes from here on counts.
      if (event.n < this.last) this.last = 0;
      if (!this.last) this.last = event.n;
      return;
    }
    if (event.n) {
      if (event.n <= this.last) return;
      this.last = event.n;
    }
    for (const listener of this.listeners) listener(event);
  }
}

function parse(data: unknown): LiveEvent | null {
  try {
    const event = JSON.parse(String(data)) as LiveEvent;
    return typeof event?.type === 'string' ? event : null;
  } catch {
    return null;
  }
}
