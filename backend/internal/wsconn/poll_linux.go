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
// byte of a frame is ours, and it ends after one event (EPOLLONESHOT), which
// makes it level-triggered: nothing that came between two waits is missed.
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

// events is what ends a wait. Errors and hang-ups do without being asked for.
const events = syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT

// arm asks for one wake. It is called with c.mu held while c is not dead, so
// that the descriptor cannot be closed and its number given away meanwhile.
// When the system refuses, the socket is on its own for good.
func (w *watch) arm(c *Conn) bool {
	if w.slot < 0 && !w.poll.add(w, c) {
		w.poll = nil
		return false
	}
	how := syscall.EPOLL_CTL_MOD
	if !w.known {
		how = syscall.EPOLL_CTL_ADD
	}
	e := syscall.EpollEvent{Events: events, Fd: w.slot, Pad: w.turn}
	if err := syscall.EpollCtl(w.poll.fd, how, int(w.fd), &e); err != nil {
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
	n, err := syscall.Write(int(w.fd), b)
	if err != nil {
		return 0
	}
	return n
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
		p.file.Close() // its goroutine sees it and ends
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

// run wakes sockets until the epoll descriptor f is closed.
func (p *poller) run(raw syscall.RawConn, f *os.File, fd int) {
	var ready [128]syscall.EpollEvent
	var woken [len(ready)]*Conn
	n := 0
	look := func(uintptr) bool {
		n, _ = syscall.EpollWait(fd, ready[:], 0) // errors: nothing is ready, wait anew
		return n > 0
	}
	for raw.Read(look) == nil {
		p.mu.Lock()
		k := 0
		for _, e := range ready[:n] {
			if p.file != f || int(e.Fd) >= len(p.slots) {
				continue // of a socket that has ended meanwhile
			}
			if s := p.slots[e.Fd]; s.conn != nil && s.turn == e.Pad {
				woken[k] = s.conn
				k++
			}
		}
		p.mu.Unlock()
		for i, c := range woken[:k] {
			c.wake()
			woken[i] = nil // it must not outlive its socket here
		}
	}
}
