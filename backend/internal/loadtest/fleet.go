package loadtest

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"haoke/backend/internal/codec"
	"haoke/backend/internal/wsconn"
)

// perAddress is how many sockets leave from one source address: the range of
// free ports holds about 28,000.
const perAddress = 25_000

// from is the source address of the n-th socket towards a server on loopback:
// 127.0.0.1 for the first, then others of 127/8; nil is the system's choice.
// Only Linux has all of these addresses without being told.
func from(n int) net.Addr {
	k := n / perAddress
	if k == 0 {
		return nil
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, byte(k/250), byte(1+k%250))}
}

// fleet is a number of open visitors.
type fleet struct {
	url      string
	first    int // sockets that other fleets have open
	visitors []*visitor
	idle     chan *visitor // those without a question under way
	tally    *tally
	readers  sync.WaitGroup
	closing  atomic.Bool
}

// visitor is one socket. The reader goroutine owns check until gone is closed; mu guards the fields
// that a question sets.
type visitor struct {
	f  *fleet
	ws *wsconn.Client
	n  int

	token   string      // opens the same conversation again
	leaving atomic.Bool // its end is wanted
	gone    chan struct{}
	done    func() // told once when the next question is over; nil: nobody

	mu    sync.Mutex
	check checker
	due   time.Time // when the question under way was meant to be sent
	reply reply     // of the question under way
	sent  time.Time // when it really was, or due if it waited for a free visitor
	busy  bool
	buf   []byte
}

// openFleet opens n visitors, parallel of them at a time, and says hello.
func openFleet(ctx context.Context, base string, n, parallel int, tally *tally, progress func(open int)) (*fleet, error) {
	return openFleetAfter(ctx, base, 0, n, parallel, tally, progress)
}

// openFleetAfter is openFleet beside fleets that have first sockets open.
func openFleetAfter(ctx context.Context, base string, first, n, parallel int, tally *tally, progress func(open int)) (*fleet, error) {
	f := newFleet(base, n, tally)
	f.first = first
	var next, open atomic.Int64
	var wg sync.WaitGroup
	fail := make(chan error, parallel)
	for range min(parallel, n) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || len(fail) > 0 || ctx.Err() != nil {
					return
				}
				v, err := f.open(ctx, i)
				if err != nil {
					fail <- err
					return
				}
				f.visitors[i] = v
				if k := open.Add(1); progress != nil && k%500 == 0 {
					progress(int(k))
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-fail:
		f.close()
		return nil, fmt.Errorf("open visitor %d of %d: %w", open.Load()+1, n, err)
	default:
	}
	if err := ctx.Err(); err != nil {
		f.close()
		return nil, err
	}
	for _, v := range f.visitors {
		f.idle <- v
	}
	return f, nil
}

func newFleet(base string, n int, tally *tally) *fleet {
	return &fleet{
		url:  "ws" + strings.TrimPrefix(strings.TrimRight(base, "/"), "http") + "/v1/chat?site=default",
		idle: make(chan *visitor, n), tally: tally, visitors: make([]*visitor, n),
	}
}

// open is a new visitor who says hello.
func (f *fleet) open(ctx context.Context, n int) (*visitor, error) {
	return f.enter(ctx, n, `{"type":"hello","locale":"en"}`)
}

// enter dials, says hello and waits for the welcome.
func (f *fleet) enter(ctx context.Context, n int, hello string) (*visitor, error) {
	cfg := wsconn.DialConfig{Subprotocol: "haoke.v1", LocalAddr: from(f.first + n)}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	ws, _, err := wsconn.Dial(ctx, f.url, cfg)
	if err != nil {
		return nil, err
	}
	if err := ws.Write(ctx, []byte(hello)); err != nil {
		ws.Cut()
		return nil, fmt.Errorf("say hello: %w", err)
	}
	b, err := ws.Read(ctx)
	if err != nil {
		ws.Cut()
		return nil, fmt.Errorf("wait for the welcome: %w", err)
	}
	var w frameView
	if err := codec.Decode(b, &w); err != nil || w.Type != "welcome" {
		ws.Cut()
		return nil, fmt.Errorf("no welcome but %.100s", b)
	}
	v := &visitor{f: f, ws: ws, n: n, token: w.Token, gone: make(chan struct{})}
	v.check.seq = w.Seq
	f.readers.Go(v.read)
	return v, nil
}

// read is the visitor's reader; it ends with the socket.
func (v *visitor) read() {
	defer close(v.gone)
	var buf []byte
	for {
		var err error
		if buf, err = v.ws.ReadInto(context.Background(), buf[:0]); err != nil {
			if !v.f.closing.Load() && !v.leaving.Load() {
				v.f.tally.fault("connection lost", fmt.Sprintf("close code %d", wsconn.CloseCode(err)))
				v.lose()
			}
			return
		}
		now := time.Now()
		v.mu.Lock()
		ev, err := v.check.frame(buf)
		due, busy := v.due, v.busy
		v.reply.see(ev, now.Sub(v.sent))
		reply := v.reply
		if ev == answered || ev == refused {
			v.busy = false
		}
		v.mu.Unlock()
		if err != nil {
			v.f.tally.fault("wrong frame", err.Error())
		}
		if !busy {
			continue
		}
		switch ev {
		case acked:
			v.f.tally.acked(now.Sub(due))
		case began:
			v.f.tally.began(now.Sub(due))
		case answered:
			if err == nil {
				v.f.tally.answered(now, now.Sub(due))
				v.f.tally.pair(reply)
			} else {
				v.f.tally.wrong()
			}
			v.rest()
		case refused:
			v.f.tally.refused(v.check.code)
			v.rest()
		}
	}
}

// rest makes the visitor free for the next question.
func (v *visitor) rest() {
	if v.done != nil {
		v.done()
		v.done = nil
	}
	v.f.idle <- v
}

// lose counts the question under way as lost.
func (v *visitor) lose() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.busy {
		v.busy = false
		v.f.tally.lost()
		if v.done != nil {
			v.done()
			v.done = nil
		}
	}
}

// send asks one question that was due at the given time.
func (v *visitor) send(ctx context.Context, number uint64, due time.Time) {
	v.sendFrom(ctx, number, due, time.Now())
}

// sendFrom is send; what is set beside the upstream's own time counts from a
// moment of its own, so that this process' lateness is not the server's.
func (v *visitor) sendFrom(ctx context.Context, number uint64, due, sent time.Time) {
	word := wordOf(number)
	a := &ask{id: "q" + word, text: word + ", where is my parcel?", want: word}
	v.mu.Lock()
	v.check.start(a)
	v.due, v.busy = due, true
	v.sent, v.reply = sent, reply{word: word}
	v.buf = append(v.buf[:0], `{"type":"message","id":`...)
	v.buf = codec.AppendString(v.buf, a.id)
	v.buf = append(v.buf, `,"text":`...)
	v.buf = codec.AppendString(v.buf, a.text)
	v.buf = append(v.buf, '}')
	v.mu.Unlock()
	v.f.tally.sent()
	if err := v.ws.Write(ctx, v.buf); err != nil {
		v.lose()
	}
}

// wordOf is a number in letters: digits could look like a telephone number to
// a filter.
func wordOf(n uint64) string {
	b := []byte("qaaaaaaaaz")
	for i := len(b) - 2; i > 0; i-- {
		b[i] = "bcdfghjklmnprstv"[n%16]
		n /= 16
	}
	return string(b)
}

// close ends every socket without a word and waits for the readers.
func (f *fleet) close() {
	f.closing.Store(true)
	for _, v := range f.visitors {
		if v != nil {
			v.ws.Cut()
		}
	}
	f.readers.Wait()
}
