package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Added is what stands between the upstream and the visitor, in milliseconds:
// for every single answer, the visitor's time from the question to the durable
// answer, less the time that the upstream took for that very answer, from the
// request's arrival to its last byte; then the percentiles of these differences
// and their standard deviation. A question counts from the moment in which it
// was sent, or from when it was due if no visitor was free to send it. What
// this process adds itself (it shares the machine) is in the figures: direct
// calls, measured alike, show how much.
type Added struct {
	P50       float64 `json:"p50"`
	P95       float64 `json:"p95"`
	P99       float64 `json:"p99"`
	Deviation float64 `json:"deviation"`
	First50   float64 `json:"first_p50"` // to the first piece
	First99   float64 `json:"first_p99"`
	Last50    float64 `json:"last_p50"` // to the last piece: nothing is left to read
	Last99    float64 `json:"last_p99"`
	N         int64   `json:"n"` // answers
}

// reply is one answer as its visitor saw it.
type reply struct {
	word               string // unique in the run, and in the question
	first, last, whole time.Duration
}

// see notes what an event that long after the question means.
func (r *reply) see(ev event, after time.Duration) {
	switch ev {
	case began:
		r.first, r.last = after, after
	case went:
		r.last = after
	case answered:
		r.whole = after
	}
}

// pair keeps a reply to be set beside the upstream's own time, up to as many
// as the simulator keeps.
func (t *tally) pair(r reply) {
	t.mu.Lock()
	if len(t.pairs) < asked {
		t.pairs = append(t.pairs, r)
	}
	t.mu.Unlock()
}

// own is the upstream's time of one answer.
type own struct {
	Question           string
	First, Last, Whole time.Duration
}

// wordIn finds the word of wordOf in a question.
var wordIn = regexp.MustCompile(`q[abcdfghjklmnprstv]{8}z`)

// asked is how many answers' times the simulator keeps: more than one
// measurement between two resets comes to.
const asked = 200_000

// own reads the upstream's times, by the word of the question. The first
// complete answer counts: no later call with the same words is the visitor's.
func (l *lab) own(ctx context.Context) (map[string]own, error) {
	res, err := l.askSim(ctx, http.MethodGet, "/sim/times")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var list []own
	if err := json.NewDecoder(io.LimitReader(res.Body, 256<<20)).Decode(&list); err != nil {
		return nil, fmt.Errorf("read the upstream's times: %w", err)
	}
	times := make(map[string]own, len(list))
	for _, x := range list {
		word := wordIn.FindString(x.Question)
		if _, known := times[word]; word != "" && !known {
			times[word] = x
		}
	}
	return times, nil
}

// forget has the simulator forget the times of the warm-up.
func (l *lab) forget(ctx context.Context) error {
	res, err := l.askSim(ctx, http.MethodPost, "/sim/reset")
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func (l *lab) askSim(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(l.simURL, "/v1")+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask the simulator: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the simulator: %w", err)
	}
	return res, nil
}

// added sets each reply beside the upstream's own time. The last of these may
// be told a moment after the answer was complete; an answer that stays without
// is an error, because it would be left out of the figures.
func (l *lab) added(ctx context.Context, t *tally) (Added, error) {
	for try := 0; ; try++ {
		times, err := l.own(ctx)
		if err != nil {
			return Added{}, err
		}
		a, alone := t.added(times)
		switch {
		case alone == 0:
			return a, nil
		case try == 9:
			return a, fmt.Errorf("%d answers of %d have no time of the upstream", alone, a.N+alone)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return a, ctx.Err()
		}
	}
}

// added are the differences; alone counts replies without the upstream's time.
func (t *tally) added(times map[string]own) (a Added, alone int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	whole, first, last := microseconds(), microseconds(), microseconds()
	for _, r := range t.pairs {
		x, known := times[r.word]
		if !known {
			alone++
			continue
		}
		record(whole, r.whole-x.Whole)
		record(first, r.first-x.First)
		record(last, r.last-x.Last)
	}
	w, f, l := quantiles(whole), quantiles(first), quantiles(last)
	return Added{P50: w.P50, P95: w.P95, P99: w.P99, Deviation: w.Deviation, N: w.N,
		First50: f.P50, First99: f.P99, Last50: l.P50, Last99: l.P99}, alone
}

// microseconds is a histogram of up to five minutes, to three digits.
func microseconds() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(5*time.Minute/time.Microsecond), 3)
}

// record takes a time. One below a microsecond counts as one: the two clocks
// are read at both ends of a socket.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	h.RecordValue(min(max(d.Microseconds(), 1), h.HighestTrackableValue()))
}
