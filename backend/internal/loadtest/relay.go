package loadtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Relay is the bare relay that added latency is compared with: net/http on
// both sides and nothing in between. It is never part of the appliance.
type Relay struct {
	Upstream string // base URL that ends in /v1
}

var relayBuffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// Serve relays until ctx ends.
func (r *Relay) Serve(ctx context.Context, l net.Listener) error {
	base := strings.TrimSuffix(r.Upstream, "/v1")
	client := &http.Transport{MaxIdleConns: 2000, MaxIdleConnsPerHost: 2000, DisableCompression: true}
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		out, err := http.NewRequestWithContext(in.Context(), in.Method, base+in.URL.Path, in.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out.Header, out.ContentLength = in.Header, in.ContentLength
		res, err := client.RoundTrip(out)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		w.Header().Set("Content-Type", res.Header.Get("Content-Type"))
		w.WriteHeader(res.StatusCode)
		passOn(w, res.Body)
	})}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(l); err != http.ErrServerClosed {
		return fmt.Errorf("serve the relay: %w", err)
	}
	return nil
}

// passOn copies a stream piece by piece.
func passOn(w http.ResponseWriter, body io.Reader) {
	buf := relayBuffers.Get().(*[]byte)
	defer relayBuffers.Put(buf)
	flusher := http.NewResponseController(w)
	for {
		n, err := body.Read(*buf)
		if n > 0 {
			w.Write((*buf)[:n])
			flusher.Flush()
		}
		if err != nil {
			return
		}
	}
}
