package upstream

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// plainData is what the standard makes of a stream: split it into lines, keep
// the data fields. It is the reference of the fuzz test.
func plainData(s string) []string {
	s = strings.TrimPrefix(s, "\ufeff")
	var list []string
	for _, line := range strings.Split(s, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if v, ok := strings.CutPrefix(line, "data:"); ok {
			if v = strings.TrimPrefix(v, " "); v != "" {
				list = append(list, v)
			}
		}
	}
	return list
}

func readData(r io.Reader) ([]string, error) {
	var e events
	e.reset(r, 1<<30)
	var list []string
	for {
		data, err := e.next()
		if err != nil {
			return list, err
		}
		list = append(list, string(data))
	}
}

func FuzzEvents(f *testing.F) {
	for _, s := range []string{"", "data: a\n\ndata: b\n\n", ": c\r\nevent: x\r\ndata:y\r\n\r\n", "\ufeffdata: z", "data\ndata:\n", "data: " + strings.Repeat("x", 20000) + "\n\ndata: y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := plainData(s)
		for _, r := range []io.Reader{strings.NewReader(s), iotest.OneByteReader(strings.NewReader(s)), iotest.HalfReader(strings.NewReader(s)), iotest.DataErrReader(strings.NewReader(s))} {
			got, err := readData(r)
			if err != io.EOF || strings.Join(got, "\x00") != strings.Join(want, "\x00") {
				t.Fatalf("%q: got %q, %v; want %q", s, got, err, want)
			}
		}
	})
}

func TestEventsBounds(t *testing.T) {
	long := "data: " + strings.Repeat("x", maxLine-100) + "\n"
	if got, err := readData(strings.NewReader(long)); len(got) != 1 || err != io.EOF {
		t.Error(len(got), err)
	}
	if _, err := readData(strings.NewReader("data: " + strings.Repeat("x", maxLine))); err != errLongLine {
		t.Error(err)
	}
	var e events
	e.reset(strings.NewReader(strings.Repeat(": comment\n", 1000)), 5000)
	if _, err := e.next(); err != errLongStream {
		t.Error(err)
	}
	e.reset(iotest.ErrReader(io.ErrUnexpectedEOF), 5000)
	if _, err := e.next(); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	e.reset(iotest.ErrReader(nil), 5000)
	if _, err := e.next(); err != io.ErrNoProgress {
		t.Error(err)
	}
}

// TestRest: an event whose data stands in several lines.
func TestRest(t *testing.T) {
	var e events
	e.reset(strings.NewReader("data: {\"a\":\nid: 7\ndata: 1}\n\ndata: next\n\n"), 1<<20)
	first, err := e.next()
	if err != nil {
		t.Fatal(err)
	}
	if joined, ok := e.rest(first); !ok || string(joined) != "{\"a\":\n1}" {
		t.Errorf("%q %v", joined, ok)
	}
	if next, err := e.next(); err != nil || string(next) != "next" {
		t.Errorf("%q %v", next, err)
	}
	e.reset(strings.NewReader("data: {\"a\":"), 1<<20)
	first, _ = e.next()
	if joined, complete := e.rest(first); complete || !bytes.Equal(joined, []byte("{\"a\":")) {
		t.Errorf("%q %v", joined, complete)
	}
}
