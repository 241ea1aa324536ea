package sim

import (
	"bytes"
	"compress/gzip"
	"net"
	"net/http"
)

// reset breaks the connection so that the caller sees it: a TCP reset on
// HTTP/1.1, a reset stream on HTTP/2.
func (c *call) reset() {
	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	inner := conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		inner = t.NetConn()
	}
	if tcp, ok := inner.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// crlfWriter ends lines with CRLF.
type crlfWriter struct{ http.ResponseWriter }

func (w *crlfWriter) Write(b []byte) (int, error) {
	_, err := w.ResponseWriter.Write(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")))
	return len(b), err
}

// Unwrap lets http.ResponseController flush.
func (w *crlfWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// plainWriter compresses what is written through it; a flush reaches the
// caller.
type plainWriter struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (w *plainWriter) Write(b []byte) (int, error) { return w.z.Write(b) }

// FlushError implements the optional interface of http.ResponseController.
func (w *plainWriter) FlushError() error {
	if err := w.z.Flush(); err != nil {
		return err
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}
