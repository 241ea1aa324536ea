package wsconn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestUnmaskAnyLength(t *testing.T) {
	mask := [4]byte{0x9a, 0x01, 0xff, 0x40}
	for n := range 70 {
		for shift := range 3 { // alignment must not matter
			b := make([]byte, shift+n)
			for i := range b {
				b[i] = byte(rand.Uint32())
			}
			want := bytes.Clone(b)
			for i := range want[shift:] {
				want[shift+i] ^= mask[i%4]
			}
			if unmask(b[shift:], mask); !bytes.Equal(b, want) {
				t.Fatalf("%d bytes at %d: %x, want %x", n, shift, b, want)
			}
		}
	}
}

func TestServerFramesAtEachLength(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 70000} {
		b := appendFrame(nil, opText, bytes.Repeat([]byte("x"), n))
		var size, at int
		switch b[1] {
		case 126:
			size, at = int(binary.BigEndian.Uint16(b[2:])), 4
		case 127:
			size, at = int(binary.BigEndian.Uint64(b[2:])), 10
		default:
			size, at = int(b[1]), 2
		}
		if b[0] != bitFin|opText || size != n || len(b) != at+n {
			t.Errorf("%d bytes: header %x, %d in all", n, b[:at], len(b))
		}
	}
}

// TestCloseFramesFit: a reason that is too long is cut between characters, a
// code that must not be sent is left out.
func TestCloseFramesFit(t *testing.T) {
	b := appendClose(nil, 4003, strings.Repeat("好", 60))
	if code, err := parseClose(b[2:]); code != 4003 || err != nil || len(b) != 2+2+123 {
		t.Errorf("%d %v, %d bytes", code, err, len(b))
	}
	for _, code := range []int{0, 999, 1005, 1006, 1015, 70000} {
		if b := appendClose(nil, code, "why"); len(b) != 2 {
			t.Errorf("%d: %x", code, b)
		}
	}
}

// walk takes a peer's bytes apart the way the reader does, feeding step bytes
// at a time, and tells what it saw.
func walk(b []byte, step int) string {
	var saw strings.Builder
	var have []byte
	for len(b) > 0 {
		n := min(step, len(b))
		have, b = append(have, b[:n]...), b[n:]
		for {
			h, whole, err := parseHeader(have, 1000)
			if err != nil {
				var f *failure
				if !errors.As(err, &f) {
					return "an error of no kind"
				}
				saw.WriteString(f.why)
				return saw.String()
			}
			if !whole || len(have) < h.len+h.size {
				break
			}
			saw.WriteByte('a' + h.op)
			unmask(have[h.len:h.len+h.size], h.mask)
			saw.Write(have[h.len : h.len+h.size])
			have = have[h.len+h.size:]
		}
	}
	return saw.String()
}

// FuzzFrames: however the network cuts a stranger's bytes, they mean the same,
// and never more than what is there.
func FuzzFrames(f *testing.F) {
	for _, c := range rfcCases() {
		f.Add(c.send, 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		if step < 1 || step > 1<<16 {
			step = 7
		}
		whole, cut := walk(bytes.Clone(b), len(b)+1), walk(bytes.Clone(b), step)
		if whole != cut {
			t.Errorf("%x at once %q, by %d bytes %q", b, whole, step, cut)
		}
	})
}

// FuzzConn: a stranger's bytes neither break a socket nor keep it open, and
// what is handled is text.
func FuzzConn(f *testing.F) {
	for _, c := range rfcCases() {
		f.Add(c.send)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, theirs := net.Pipe()
		cfg := Config{Blocking: true, MaxFrame: 4096}.withDefaults()
		c := newConn(&cfg, nil, ours, nil, false)
		r := newRecorder()
		c.Serve(&textOnly{t, c, r})
		go io.Copy(io.Discard, theirs)
		theirs.Write(b)
		theirs.Close()
		r.wait(t)
	})
}

// textOnly echoes and checks that what comes is text of a fitting size.
type textOnly struct {
	t *testing.T
	c *Conn
	*recorder
}

func (h *textOnly) Frame(b []byte) bool {
	if !utf8.Valid(b) || len(b) > 4096 {
		h.t.Errorf("%d bytes were handled: %.100q", len(b), b)
	}
	return h.c.Send(b) == nil
}
