package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"haoke/backend/internal/codec"
)

// Config directs a simulator. The zero value answers at once, without limits,
// to anybody.
type Config struct {
	// Models are the names that /v1/models lists; empty: a default list. Any
	// other model in a call is answered with 404, unless Models is empty.
	Models []string
	// Keys are the accepted bearer keys (also as "api-key" header); empty:
	// none is needed.
	Keys []string
	// Latency is the time to the first token, Jitter a part that is added or
	// taken away at random, at most Latency.
	Latency, Jitter time.Duration
	// Pace is the time between tokens of a streamed answer, 0: none.
	Pace time.Duration
	// Tokens is the length of answers; 0: what the sentence needs.
	Tokens int
	// RPM and TPM limit requests and tokens a minute and key; 0: no limit.
	// Burst is how many requests the allowance holds when full; 0: RPM.
	RPM, TPM, Burst int
	// FaultRate is the part of the calls, 0 to 1, that get a fault picked from
	// Faults (names of the markers; empty: 500, 429, cut, garbage).
	FaultRate float64
	Faults    []string
	// Drip is the time between two bytes of [[drip]]; 0: 100 ms.
	Drip time.Duration
	// Times is how many answers' times Server.Times keeps; 0: none.
	Times int
	// Seed makes jitter and random faults repeatable.
	Seed uint64
	// Now is the clock of the limits; nil: time.Now.
	Now func() time.Time
}

// Server is a simulator. It is safe for concurrent use.
type Server struct {
	cfg    Config
	limits limits
	stats  counters
	times  times

	mu   sync.Mutex
	rand *rand.Rand
	seen map[string]int // calls a marker with a number has broken
}

// New returns a simulator that serves through Handler or Serve.
func New(cfg Config) *Server {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Drip <= 0 {
		cfg.Drip = 100 * time.Millisecond
	}
	if len(cfg.Faults) == 0 {
		cfg.Faults = []string{"500", "429", "cut", "garbage"}
	}
	cfg.Jitter = min(cfg.Jitter, cfg.Latency)
	return &Server{
		cfg:    cfg,
		limits: limits{cfg: cfg, keys: map[string]*allowance{}},
		times:  times{most: cfg.Times},
		rand:   rand.New(rand.NewPCG(cfg.Seed, 0x5eed)),
		seen:   map[string]int{},
	}
}

// defaultModels are listed when the configuration names none.
var defaultModels = [...]string{"gpt-4o-mini", "gpt-4o", "deepseek-chat", "qwen-plus"}

// Handler returns the simulator's routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", s.models)
	mux.HandleFunc("POST /v1/chat/completions", s.chat)
	mux.HandleFunc("POST /v1/moderations", s.moderations)
	mux.HandleFunc("GET /sim/stats", s.serveStats)
	mux.HandleFunc("GET /sim/times", s.serveTimes)
	mux.HandleFunc("POST /sim/reset", func(w http.ResponseWriter, _ *http.Request) {
		s.Reset()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, http.StatusNotFound, "invalid_request_error", "unknown_url",
			"Unknown request URL: "+r.Method+" "+r.URL.Path)
	})
	return mux
}

// Serve answers on l until ctx ends, then closes every connection.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ConnState: s.ConnState}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve simulator: %w", err)
	}
	return nil
}

// ConnState counts new connections when it is set on the http.Server.
func (s *Server) ConnState(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		s.stats.connections.Add(1)
	}
}

// authorized reports the caller's key, and writes a 401 when it is not known.
func (s *Server) authorized(w http.ResponseWriter, r *http.Request) (key string, ok bool) {
	key = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if key == "" {
		key = r.Header.Get("api-key")
	}
	if len(s.cfg.Keys) == 0 {
		return key, true
	}
	for _, k := range s.cfg.Keys {
		if k == key {
			return key, true
		}
	}
	s.stats.unauthorized.Add(1)
	if key == "" {
		writeError(w, http.StatusUnauthorized, "invalid_request_error", "", "You didn't provide an API key.")
	} else {
		writeError(w, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.")
	}
	return key, false
}

func (s *Server) modelNames() []string {
	if len(s.cfg.Models) > 0 {
		return s.cfg.Models
	}
	return defaultModels[:]
}

func (s *Server) models(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.authorized(w, r); !ok {
		return
	}
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
	}
	list := []model{}
	for _, name := range s.modelNames() {
		list = append(list, model{name, "model", 1700000000, "sim"})
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": list})
}

// moderations flags what contains the word "flagme".
func (s *Server) moderations(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.authorized(w, r); !ok {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var in struct {
		Input json.RawMessage `json:"input"`
	}
	if err != nil || codec.Decode(body, &in) != nil || len(in.Input) == 0 {
		writeError(w, http.StatusBadRequest, "invalid_request_error", "", "Missing required parameter: 'input'.")
		return
	}
	s.stats.moderations.Add(1)
	flagged, score := strings.Contains(string(in.Input), "flagme"), 0.01
	if flagged {
		score = 0.97
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"id": "modr-sim", "model": "omni-moderation-latest",
		"results": []any{map[string]any{
			"flagged":         flagged,
			"categories":      map[string]bool{"harassment": flagged, "violence": false},
			"category_scores": map[string]float64{"harassment": score, "violence": 0.01},
		}},
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil { // only plain maps and structs are ever passed
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b)
}

func writeError(w http.ResponseWriter, status int, kind, code, message string) {
	e := map[string]any{"message": message, "type": kind, "param": nil, "code": nil}
	if code != "" {
		e["code"] = code
	}
	writeJSON(w, status, map[string]any{"error": e})
}
