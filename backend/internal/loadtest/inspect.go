package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"strconv"
	"time"
)

// Vitals is what a measured process tells about itself.
type Vitals struct {
	Allocated  uint64  `json:"allocated"` // bytes since its start
	Mallocs    uint64  `json:"mallocs"`   // objects since its start
	Heap       uint64  `json:"heap"`      // bytes in use
	Spans      uint64  `json:"spans"`     // bytes of the pages that hold them: what is above Heap are gaps
	Runtime    uint64  `json:"runtime"`   // bytes that the runtime keeps for itself
	Stacks     uint64  `json:"stacks"`
	Goroutines int     `json:"goroutines"`
	Collected  uint32  `json:"collected"`  // garbage collections
	Collecting float64 `json:"collecting"` // seconds of processor time in the garbage collector, idle time not counted
}

// ServeVitals answers questions of the load test about the process it runs in
// until ctx ends: GET /vitals, POST /collect (collect garbage and give memory
// back first), GET /profile?seconds=N and GET /allocs in pprof's format. Only
// processes that the load test itself starts run it, on loopback.
func ServeVitals(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	tell := func(w http.ResponseWriter, _ *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		json.NewEncoder(w).Encode(Vitals{
			Allocated: m.TotalAlloc, Mallocs: m.Mallocs, Heap: m.HeapAlloc, Spans: m.HeapInuse, Runtime: m.MSpanInuse + m.MCacheInuse + m.GCSys + m.OtherSys + m.BuckHashSys, Stacks: m.StackInuse,
			Goroutines: runtime.NumGoroutine(), Collected: m.NumGC, Collecting: collecting(),
		})
	}
	mux.HandleFunc("GET /vitals", tell)
	mux.HandleFunc("POST /collect", func(w http.ResponseWriter, r *http.Request) {
		debug.FreeOSMemory()
		tell(w, r)
	})
	mux.HandleFunc("GET /allocs", func(w http.ResponseWriter, _ *http.Request) {
		for range 2 { // the profile is as old as the last collection but one
			runtime.GC()
		}
		pprof.Lookup("allocs").WriteTo(w, 0)
	})
	mux.HandleFunc("GET /heap", func(w http.ResponseWriter, _ *http.Request) { pprof.Lookup("heap").WriteTo(w, 0) })
	mux.HandleFunc("GET /profile", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("seconds"))
		if err := pprof.StartCPUProfile(w); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		defer pprof.StopCPUProfile()
		select {
		case <-time.After(time.Duration(min(max(n, 1), 60)) * time.Second):
		case <-r.Context().Done():
		}
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(l); err != http.ErrServerClosed {
		return fmt.Errorf("serve vitals: %w", err)
	}
	return nil
}

// collecting is the processor time that the garbage collector took from the
// program, as the runtime estimates it.
func collecting() float64 {
	of := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/idle:cpu-seconds"}}
	metrics.Read(of)
	for _, s := range of {
		if s.Value.Kind() != metrics.KindFloat64 {
			return 0
		}
	}
	return of[0].Value.Float64() - of[1].Value.Float64()
}

// inspector asks a child for its vitals.
type inspector struct{ base string }

func (i inspector) vitals(ctx context.Context) (Vitals, error) {
	return i.ask(ctx, http.MethodGet, "/vitals")
}

// collected are the vitals after a forced collection.
func (i inspector) collected(ctx context.Context) (Vitals, error) {
	return i.ask(ctx, http.MethodPost, "/collect")
}

func (i inspector) ask(ctx context.Context, method, path string) (v Vitals, err error) {
	res, err := i.get(ctx, method, path)
	if err != nil {
		return v, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&v); err != nil {
		return v, fmt.Errorf("vitals: %w", err)
	}
	return v, nil
}

func (i inspector) get(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, i.base+path, nil)
	if err != nil {
		return nil, fmt.Errorf("vitals: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("vitals: %w", err)
	}
	return res, nil
}

// save writes a profile into dir.
func (i inspector) save(ctx context.Context, path, file string) error {
	res, err := i.get(ctx, http.MethodGet, path)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("save profile: %w", err)
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("save profile: %w", err)
	}
	defer f.Close()
	if _, err := io.Copy(f, res.Body); err != nil {
		return fmt.Errorf("save profile: %w", err)
	}
	return nil
}
