package wsconn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// frame is a client's frame with every bit in the caller's hands.
func frame(fin bool, op byte, payload string) []byte {
	b := masked(op, []byte(payload))
	if !fin {
		b[0] &^= bitFin
	}
	return b
}

func join(bs ...[]byte) []byte { return bytes.Join(bs, nil) }

// closing is a client's close frame.
func closing(code int, reason string) []byte {
	return frame(true, opClose, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}

// received is what a peer gets back, in words: "text:...", "pong:...",
// "close:1002", and "end" when the connection ends.
func received(t *testing.T, conn net.Conn) []string {
	t.Helper()
	var got []string
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		var h [2]byte
		if _, err := io.ReadFull(conn, h[:]); err != nil {
			if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
				return append(got, "timeout")
			}
			return append(got, "end")
		}
		if h[0]&bitFin == 0 || h[0]&bitsRSV != 0 || h[1]&bitMask != 0 {
			t.Fatalf("a server's frame begins with %x", h)
		}
		n := int(h[1])
		switch n {
		case 126:
			var l [2]byte
			io.ReadFull(conn, l[:])
			n = int(binary.BigEndian.Uint16(l[:]))
		case 127:
			var l [8]byte
			io.ReadFull(conn, l[:])
			n = int(binary.BigEndian.Uint64(l[:]))
		}
		p := make([]byte, n)
		if _, err := io.ReadFull(conn, p); err != nil {
			t.Fatalf("half a frame: %v", err)
		}
		switch h[0] & 0x0F {
		case opText:
			got = append(got, "text:"+string(p))
		case opPong:
			got = append(got, "pong:"+string(p))
		case opClose:
			code, err := parseClose(p)
			if err != nil {
				t.Fatalf("close frame %q: %v", p, err)
			}
			got = append(got, fmt.Sprintf("close:%d", code))
			conn.Write(closing(1000, ""))
		default:
			got = append(got, fmt.Sprintf("frame %x", h[0]))
		}
	}
}

// echo answers every message with itself, as conformance tests expect.
type echo struct {
	c     *Conn
	ended chan error
}

func (e *echo) Frame(b []byte) bool { return e.c.Send(b) == nil }
func (e *echo) Ended(err error)     { e.ended <- err }

// rfcCases follow the sections of the Autobahn test suite: framing, pings,
// reserved bits, op codes, fragmentation, UTF-8, closing, limits.
func rfcCases() []struct {
	name string
	send []byte
	want string
} {
	const bye = "close:1000 end"
	end := closing(1000, "")
	big := strings.Repeat("*", 16<<10)
	utf := "κόσμε 你好 🙂"
	long := func(op byte, n uint64) []byte {
		return append(binary.BigEndian.AppendUint64([]byte{bitFin | op, bitMask | 127}, n), 0, 0, 0, 0)
	}
	return []struct {
		name string
		send []byte
		want string
	}{
		{"1 empty text", join(frame(true, opText, ""), end), "text: " + bye},
		{"1 text of 125", join(frame(true, opText, big[:125]), end), "text:" + big[:125] + " " + bye},
		{"1 text of 126", join(frame(true, opText, big[:126]), end), "text:" + big[:126] + " " + bye},
		{"1 text of 16 KiB", join(frame(true, opText, big), end), "text:" + big + " " + bye},
		{"1 length in more bytes than needed", join([]byte{0x81, 0xFE, 0, 2, 0, 0, 0, 0, 'h', 'i'}, end), "text:hi " + bye},
		{"2 ping without payload", join(frame(true, opPing, ""), end), "pong: " + bye},
		{"2 ping of 125 bytes that are no text", join(frame(true, opPing, "\xff\xfe"+big[:123]), end), "pong:\xff\xfe" + big[:123] + " " + bye},
		{"2 ping of 126", frame(true, opPing, big[:126]), "close:1002 end"},
		{"2 unsolicited pong", join(frame(true, opPong, "x"), frame(true, opPing, "y"), end), "pong:y " + bye},
		{"2 ten pings", join(bytes.Repeat(frame(true, opPing, "p"), 10), end), strings.Repeat("pong:p ", 10) + bye},
		{"3 RSV1", join([]byte{0xC1, 0x80, 0, 0, 0, 0}), "close:1002 end"},
		{"3 RSV2 after a message", join(frame(true, opText, "a"), []byte{0xA1, 0x80, 0, 0, 0, 0}), "text:a close:1002 end"},
		{"3 RSV3 on a ping", []byte{0x99, 0x80, 0, 0, 0, 0}, "close:1002 end"},
		{"4 reserved data op code", frame(true, 3, "x"), "close:1002 end"},
		{"4 reserved control op code", frame(true, 11, ""), "close:1002 end"},
		{"4 without a mask", []byte{0x81, 0x01, 'x'}, "close:1002 end"},
		{"5 two pieces", join(frame(false, opText, "ab"), frame(true, opContinue, "cd"), end), "text:abcd " + bye},
		{"5 pieces of nothing", join(frame(false, opText, ""), frame(false, opContinue, ""), frame(true, opContinue, ""), end), "text: " + bye},
		{"5 ping between pieces", join(frame(false, opText, "ab"), frame(true, opPing, "p"), frame(true, opContinue, "cd"), end), "pong:p text:abcd " + bye},
		{"5 ping in pieces", frame(false, opPing, "p"), "close:1002 end"},
		{"5 continuation of nothing", frame(true, opContinue, "x"), "close:1002 end"},
		{"5 a new message inside another", join(frame(false, opText, "a"), frame(true, opText, "b")), "close:1002 end"},
		{"5 close between pieces", join(frame(false, opText, "a"), end), bye},
		{"6 many alphabets", join(frame(true, opText, utf), end), "text:" + utf + " " + bye},
		{"6 a character in two pieces", join(frame(false, opText, utf[:2]), frame(true, opContinue, utf[2:]), end), "text:" + utf + " " + bye},
		{"6 bad byte", frame(true, opText, "a\xffb"), "close:1007 end"},
		{"6 surrogate", frame(true, opText, "\xed\xa0\x80"), "close:1007 end"},
		{"6 overlong", frame(true, opText, "\xc0\xaf"), "close:1007 end"},
		{"6 cut character", join(frame(false, opText, "a\xe4"), frame(true, opContinue, "\xbd")), "close:1007 end"},
		{"7 close without a code", frame(true, opClose, ""), "close:1005 end"},
		{"7 close of one byte", frame(true, opClose, "x"), "close:1002 end"},
		{"7 close with a reason", closing(4321, "so long"), "close:4321 end"},
		{"7 close with a reason that is no text", closing(1000, "\xff"), "close:1007 end"},
		{"7 close with a reason too long", frame(true, opClose, "\x03\xe8"+big[:124]), "close:1002 end"},
		{"7 code 1005", closing(1005, ""), "close:1002 end"},
		{"7 code 1006", closing(1006, ""), "close:1002 end"},
		{"7 code 1015", closing(1015, ""), "close:1002 end"},
		{"7 code 999", closing(999, ""), "close:1002 end"},
		{"7 code 2999", closing(2999, ""), "close:1002 end"},
		{"7 code 3000", closing(3000, ""), "close:3000 end"},
		{"7 code 5000", closing(5000, ""), "close:1002 end"},
		{"7 message after the close", join(end, frame(true, opText, "late")), bye},
		{"9 one byte too many", frame(true, opText, big+"*"), "close:1009 end"},
		{"9 too many in pieces", join(frame(false, opText, big[:9000]), frame(true, opContinue, big[:9000])), "close:1009 end"},
		{"9 four gigabytes announced", long(opText, 4<<30), "close:1009 end"},
		{"9 impossible length", long(opText, 1<<63), "close:1002 end"},
		{"binary", frame(true, opBinary, "x"), "close:4002 end"},
		{"binary in pieces", frame(false, opBinary, "x"), "close:4002 end"},
	}
}

// TestRFC6455 sends each case whole, byte by byte, and in two halves.
func TestRFC6455(t *testing.T) { eachMode(t, testRFC6455) }

func testRFC6455(t *testing.T, m mode) {
	s := m.serve(t, Config{})
	for _, c := range rfcCases() {
		for how, write := range map[string]func(net.Conn){
			"whole":  func(conn net.Conn) { conn.Write(c.send) },
			"halves": func(conn net.Conn) { conn.Write(c.send[:len(c.send)/2]); conn.Write(c.send[len(c.send)/2:]) },
			"bytes": func(conn net.Conn) {
				for i := range c.send[:min(len(c.send), 600)] {
					conn.Write(c.send[i : i+1])
				}
				conn.Write(c.send[min(len(c.send), 600):])
			},
		} {
			t.Run(c.name+" "+how, func(t *testing.T) {
				conn := s.raw(t, nil)
				e := &echo{<-s.open, make(chan error, 2)}
				e.c.Serve(e)
				go write(conn)
				if got := strings.Join(received(t, conn), " "); got != c.want {
					t.Errorf("got %.200q\nwant %.200q", got, c.want)
				}
				conn.Close()
				if err := <-e.ended; (err == nil) != (strings.Contains(c.want, "close:1000") || strings.Contains(c.want, "close:1005") || strings.Contains(c.want, "close:4321") || strings.Contains(c.want, "close:3000")) {
					t.Errorf("ended with %v", err)
				}
			})
		}
	}
}

// TestEndedOnce: however a socket ends, its handler hears of it exactly once,
// also when it was silent and nobody read.
func TestEndedOnce(t *testing.T) { eachMode(t, testEndedOnce) }

func testEndedOnce(t *testing.T, m mode) {
	s := m.serve(t, Config{CloseWait: 50 * time.Millisecond})
	for name, end := range map[string]func(*Conn, net.Conn){
		"peer closes":                  func(_ *Conn, p net.Conn) { p.Write(closing(1000, "")) },
		"peer goes without a word":     func(_ *Conn, p net.Conn) { p.Close() },
		"peer resets":                  func(_ *Conn, p net.Conn) { p.(*net.TCPConn).SetLinger(0); p.Close() },
		"we close and it answers":      func(c *Conn, p net.Conn) { c.Close(1001, ""); p.Write(closing(1001, "")) },
		"we close and it says nothing": func(c *Conn, _ net.Conn) { c.Close(1001, "") },
		"both close":                   func(c *Conn, p net.Conn) { p.Write(closing(1000, "")); c.Close(1001, "") },
		"it breaks the protocol":       func(_ *Conn, p net.Conn) { p.Write([]byte{0xFF, 0xFF}) },
		"it breaks it while we close":  func(c *Conn, p net.Conn) { c.Close(1001, ""); p.Write([]byte{0xFF, 0xFF}) },
	} {
		t.Run(name, func(t *testing.T) {
			p := s.raw(t, nil)
			c := <-s.open
			r := newRecorder()
			c.Serve(r)
			end(c, p)
			r.wait(t)
			if err := c.Send([]byte("late")); err != ErrClosed {
				t.Errorf("a frame was taken after the end: %v", err)
			}
			p.Close()
			select {
			case <-r.ended:
				t.Error("ended twice")
			case <-time.After(80 * time.Millisecond):
			}
		})
	}
}
