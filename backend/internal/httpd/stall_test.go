package httpd

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestWhoDoesNotReadIsCut: a peer that asks for much and reads nothing does not
// keep its place; one that reads slowly gets all of it.
func TestWhoDoesNotReadIsCut(t *testing.T) {
	const much = 64 << 20
	failed := make(chan error, 1)
	cfg := config("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := much
		if r.URL.Path == "/file" {
			size = 1 << 20
		}
		w.Header().Set("Content-Length", fmt.Sprint(size))
		_, err := io.Copy(w, strings.NewReader(strings.Repeat("x", size)))
		if r.URL.Path != "/file" {
			failed <- err
		}
	}))
	cfg.Stall = 200 * time.Millisecond
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx, time.Second) }()
	defer func() { stop(); <-ended }()

	c, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case err := <-failed:
		if err == nil {
			t.Error("64 MiB went to somebody who reads nothing")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("who reads nothing keeps a goroutine")
	}

	res, err := http.Get(l.URL() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	n, buf := 0, make([]byte, 16<<10)
	for {
		m, err := res.Body.Read(buf)
		n += m
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("after %d bytes: %v", n, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if n != 1<<20 {
		t.Errorf("%d bytes came", n)
	}
	http.DefaultClient.CloseIdleConnections()
}
