package wsconn

import (
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// poller watches silent sockets through one epoll descriptor (epoll(7)). That
// descriptor is itself watched by the Go runtime, so that waiting takes no
// thread. The poller's goroutine exists while there are sockets.
//
// A socket stays in the runtime's own poller too: reading with deadlines,
// writing and closing are net.Conn's, as ever. Only the wait for the first
// byte of a frame is ours. The poller reads what has come, answers heartbeats
// itself and hands the rest to a reader. It is told once of each arrival
// (EPOLLET) and never asks again, which saves a system call for each frame;
// what arrives while a reader is at it is noted (Conn.stirred), and the reader
// looks once more before it leaves.
type poller struct {
	mu    sync.Mutex
	file  *os.File // the epoll descriptor; nil while there are no sockets
	fd    int
	slots []slot
	free  []int32
	n     int // sockets
}

// slot is a socket's place. Its turn tells an event of the socket that had the
// place before from one of its own.
type slot struct {
	conn *Conn
	turn int32
}

func newPoller() *poller { return &poller{} }

// watch is a socket's tie to the poller. The zero value is none.
type watch struct {
	poll  *poller // nil: not watched, a goroutine waits
	fd    int32
	slot  int32 // -1 until it is armed for the first time
	turn  int32
	known bool // to epoll
}

// enter ties a network connection to the poller; those that are not plain
// sockets (TLS) are left alone, because what they have decrypted already
// cannot be seen from outside.
func (w *watch) enter(p *poller, nc net.Conn) {
	sc, ok := nc.(syscall.Conn)
	if p == nil || !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	if raw.Control(func(fd uintptr) { w.fd = int32(fd) }) == nil {
		w.poll, w.slot = p, -1
	}
}

// ok says whether the poller watches.
func (w *watch) ok() bool { return w.poll != nil }

// events is what the poller is told of. Errors and hang-ups come without being
// asked for.
const events = syscall.EPOLLIN | syscall.EPOLLRDHUP | 1<<31 // EPOLLET, whose constant has the wrong sign on some processors

// arm has the poller watch the socket from now on; what has come already is
// told at once. It is called with c.mu held while c is not dead, so that the
// descriptor cannot be closed and its number given away meanwhile. When the
// system refuses, the socket is on its own for good.
func (w *watch) arm(c *Conn) bool {
	if w.known {
		return true
	}
	if w.slot < 0 && !w.poll.add(w, c) {
		w.poll = nil
		return false
	}
	e := syscall.EpollEvent{Events: events, Fd: w.slot, Pad: w.turn}
	if err := syscall.EpollCtl(w.poll.fd, syscall.EPOLL_CTL_ADD, int(w.fd), &e); err != nil {
		w.leave()
		w.poll = nil
		return false
	}
	w.known = true
	return true
}

// write writes as much of b as the network takes at once and returns how much
// that was. It is called with c.mu held while c is not dead, like arm.
func (w *watch) write(b []byte) int {
	n, err := writeNow(w.fd, b)
	if err != nil {
		return 0
	}
	return n
}

// read reads what is there. n 0: nothing, and silent tells whether more may
// come. It is called with c.mu held while c is not dead, like arm.
func (w *watch) read(b []byte) (n int, silent bool) {
	n, err := readNow(w.fd, b)
	if err != nil {
		return 0, err == syscall.EAGAIN
	}
	return n, false
}

// leave gives the socket's place back. Closing the descriptor afterwards takes
// it out of epoll.
func (w *watch) leave() {
	if w.poll != nil && w.slot >= 0 {
		w.poll.remove(w.slot)
		w.slot = -1
	}
}

// add gives a socket a place; the first one starts the poller. It is false
// when the system has no epoll for us.
func (p *poller) add(w *watch, c *Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file == nil && !p.startLocked() {
		return false
	}
	if k := len(p.free); k > 0 {
		w.slot, p.free = p.free[k-1], p.free[:k-1]
	} else {
		w.slot = int32(len(p.slots))
		p.slots = append(p.slots, slot{})
	}
	s := &p.slots[w.slot]
	s.conn, s.turn = c, s.turn+1
	w.turn = s.turn
	p.n++
	return true
}

// remove frees a place; with the last socket the poller ends.
func (p *poller) remove(at int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slots[at].conn = nil
	p.free = append(p.free, at)
	if p.n--; p.n == 0 {
		go p.file.Close() // waits for the poller's goroutine, which may be who calls
		p.file, p.slots, p.free = nil, nil, nil
	}
}

func (p *poller) startLocked() bool {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	syscall.SetNonblock(fd, true) // makes os.NewFile hand it to the runtime
	f := os.NewFile(uintptr(fd), "epoll")
	// Only what the runtime watches knows deadlines; else each wait would take
	// a thread.
	if f.SetReadDeadline(time.Time{}) != nil {
		f.Close()
		return false
	}
	raw, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return false
	}
	p.file, p.fd = f, fd
	go p.run(raw, f, fd)
	return true
}

// run deals with what comes until the epoll descriptor f is closed. Looking
// never succeeds in the eyes of raw.Read, which waits before the next look: an
// arrival between the two is not lost, because that wait is not begun anew.
func (p *poller) run(raw syscall.RawConn, f *os.File, fd int) {
	r := round{p: p, file: f, fd: fd, buf: readBuffers.Get().(*[]byte)}
	raw.Read(func(uintptr) bool { r.look(); return false })
	readBuffers.Put(r.buf)
}

// round is what the poller's goroutine works with.
type round struct {
	p     *poller
	file  *os.File
	fd    int
	buf   *[]byte // what the next socket is read into
	ready [128]syscall.EpollEvent
	woken [128]wakened
}

// wakened is a socket with an event.
type wakened struct {
	conn *Conn
	end  bool // of the stream, or an error: behind what can be read, and told only once
}

// look deals with all that is ready.
func (r *round) look() {
	for {
		n, err := eventsNow(r.fd, r.ready[:])
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 {
			return
		}
		for i, w := range r.woken[:r.find(n)] {
			w.conn.stir(&r.buf, w.end)
			r.woken[i].conn = nil // it must not outlive its socket here
		}
		if n < len(r.ready) {
			return // whatever comes from now on is told anew
		}
	}
}

// find looks up the sockets of the events and returns how many there are.
func (r *round) find(events int) (k int) {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range r.ready[:events] {
		if p.file != r.file || int(e.Fd) >= len(p.slots) {
			continue // of a socket that has ended meanwhile
		}
		if s := p.slots[e.Fd]; s.conn != nil && s.turn == e.Pad {
			r.woken[k] = wakened{s.conn, e.Events&^syscall.EPOLLIN != 0}
			k++
		}
	}
	return k
}

// stir deals with what has come for a socket. A heartbeat is answered on the
// spot: no goroutine is woken for the most frequent message of all. Anything
// else is read into *buf and left to a reader, who keeps that buffer; *buf is
// another one then.
func (c *Conn) stir(buf **[]byte, end bool) {
	c.mu.Lock()
	switch {
	case c.dead, c.end != nil && c.end.came: // nothing more is read
	case !c.parked:
		c.stirred = true
	default:
		b := **buf
		n, silent := c.watch.read(b)
		if silent || n > 0 && !end && c.beatsLocked(b[:n]) {
			break
		}
		if n > 0 {
			c.stirred = end || n == len(b) // there is, or may be, more
			**buf = b[:n]
			c.early, *buf = *buf, readBuffers.Get().(*[]byte)
		}
		c.parked = false
		c.mu.Unlock()
		go c.reader() // at the end of the stream it finds that end
		return
	}
	c.mu.Unlock()
}
