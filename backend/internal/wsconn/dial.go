package wsconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"nhooyr.io/websocket"
)

// Client is the other end of a socket, for the load test and for tests.
// One goroutine may read while another writes.
type Client struct {
	ws *websocket.Conn
}

// DialConfig says how to open a socket. The zero value is a plain client
// without an Origin.
type DialConfig struct {
	Origin      string
	Host        string // Host header, "" for the URL's
	Subprotocol string
	LocalAddr   net.Addr // source address, nil for the system's choice
	ReadLimit   int64    // bytes of one frame; default 1 MiB
	Header      http.Header
}

// Dial opens a socket. When the server answers with something else than 101,
// the error names the status, and status carries it.
func Dial(ctx context.Context, url string, cfg DialConfig) (c *Client, status int, err error) {
	opts := &websocket.DialOptions{HTTPHeader: http.Header{}, CompressionMode: websocket.CompressionDisabled, Host: cfg.Host}
	for k, v := range cfg.Header {
		opts.HTTPHeader[k] = v
	}
	if cfg.Origin != "" {
		opts.HTTPHeader.Set("Origin", cfg.Origin)
	}
	if cfg.Subprotocol != "" {
		opts.Subprotocols = []string{cfg.Subprotocol}
	}
	if cfg.LocalAddr != nil {
		d := &net.Dialer{LocalAddr: cfg.LocalAddr}
		t := &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}
		opts.HTTPClient = &http.Client{Transport: t}
	}
	ws, res, err := websocket.Dial(ctx, url, opts)
	if res != nil {
		status = res.StatusCode
	}
	if err != nil {
		return nil, status, fmt.Errorf("open socket: %w", err)
	}
	limit := cfg.ReadLimit
	if limit == 0 {
		limit = 1 << 20
	}
	ws.SetReadLimit(limit)
	return &Client{ws: ws}, status, nil
}

// Read returns the next text frame.
func (c *Client) Read(ctx context.Context) ([]byte, error) {
	_, b, err := c.ws.Read(ctx)
	return b, err
}

// ReadInto appends the next frame to buf and returns it.
func (c *Client) ReadInto(ctx context.Context, buf []byte) ([]byte, error) {
	_, r, err := c.ws.Reader(ctx)
	if err != nil {
		return buf, err
	}
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// Write sends one text frame.
func (c *Client) Write(ctx context.Context, frame []byte) error {
	return c.ws.Write(ctx, websocket.MessageText, frame)
}

// WriteBinary sends one binary frame.
func (c *Client) WriteBinary(ctx context.Context, frame []byte) error {
	return c.ws.Write(ctx, websocket.MessageBinary, frame)
}

// Close ends the socket with the closing handshake.
func (c *Client) Close() error { return c.ws.Close(websocket.StatusNormalClosure, "") }

// Cut ends the socket without a word, as a lost network does.
func (c *Client) Cut() error { return c.ws.CloseNow() }

// CloseCode is the code that the other side closed with, -1 when err is no
// close frame.
func CloseCode(err error) int { return int(websocket.CloseStatus(err)) }
