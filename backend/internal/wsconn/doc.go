// Package wsconn is one visitor's socket: the origin check, reading and writing
// of frames (RFC 6455), and a queue that is bounded in bytes. It is the only
// package that knows the WebSocket library, which does the handshake and is the
// other end in the load test and in tests.
//
// A silent socket costs its Conn, its descriptor and nothing else. On Linux one
// poller watches all of them (poll_linux.go), and a goroutine with a buffer
// exists only while a frame is there; elsewhere, and over TLS, a silent socket
// is a goroutine on a small stack. A writer goroutine exists only while there
// is something to write.
//
// The poller answers heartbeats itself (beat.go): one read and one write, no
// goroutine, no change of what epoll watches. 760 a second, which 19,000
// visitors send when each does so every 25 seconds, cost 7.6 % of a processor
// when each woke a goroutine and armed the poller anew, and 4 % so; 422 a
// second, one every 45 seconds as the widget does, 2.6 to 3.7 % (2 cores, Go 1.26,
// `haoked bench --short --only connections`). That is one wake-up and about
// 45 µs for each heartbeat (BenchmarkStrangersBeat), of which reading and
// answering are 15.
//
// The poller does not pause to answer several at once. It was tried. Each end of
// a sleep on a processor at rest costs about 100 µs, so that a pause of 5 ms by
// the runtime's timer costs more than it saves (4.0 % against 3.4 %; the
// sockets, which are in the runtime's own poller too, go on waking it besides).
// With sockets of our own that the runtime does not know, and the kernel's timer,
// 5 ms save nothing worth having (3.4 %), 10 ms a quarter (2.6 %), 20 ms half
// (1.7 %), and each first message after a silence would wait as long.
//
// # Why the library does not read and write
//
// Resident memory for one of 19,000 silent visitors, its conversation in
// memory included, `haoked bench --short --only connections` on 2 cores,
// Go 1.26:
//
//	textbook: library's loop in the HTTP handler, no conversation   32.2 KB
//	library's loop detached, 512-byte buffers, fresh small stacks    20.9 KB
//	own frames, a goroutine on 2 KB for each silent socket           10.2 KB
//	own frames, one poller                                            7.2 KB
//
// Of the 20.9 KB the library's part was 1.7 KB of objects, 1 KB of buffers and
// a second goroutine of 4.5 KB; our own reader was another 4.5 KB. What is left
// is the conversation, and what the kernel and net.Conn keep.
//
// The poller's risk is that of a second place that knows when a descriptor
// lives. It is kept small: net.Conn still owns the descriptor, waits, times out
// and closes; the poller reads and writes only what goes at once, and only with
// the socket's lock held while it is not dead, so that the descriptor cannot be
// given away meanwhile; a place in its table carries a number, so that a late
// event cannot wake another socket; where epoll refuses, the socket falls back
// to a goroutine. An arrival is told once: the fields parked and stirred see to
// it that either the poller or a reader looks afterwards (TestNoArrivalIsLost).
// Config.Blocking turns it off, and every test runs both ways.
package wsconn
