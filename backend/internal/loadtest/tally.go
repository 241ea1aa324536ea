package loadtest

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally collects what the visitors of one measurement saw. It is safe for
// concurrent use. Latencies run from the moment a question was due.
type tally struct {
	mu                 sync.Mutex
	questions, answers int64
	refusals, losses   int64
	wrongs             int64 // answers that were not right
	ack, first, reply  *hdrhistogram.Histogram
	faults             map[string]int64
	firstFault         string
	lastAnswer         time.Time
	within             time.Duration // an answer later than this is no goodput; 0: any counts
	good               int64
	pairs              []reply // to be set beside the upstream's own times
}

func newTally() *tally {
	return &tally{ack: microseconds(), first: microseconds(), reply: microseconds(), faults: map[string]int64{}}
}

// reset forgets what was counted, for example in the warm-up, except faults: a
// wrong frame is wrong at any time.
func (t *tally) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.questions, t.answers, t.refusals, t.losses, t.wrongs, t.good = 0, 0, 0, 0, 0, 0
	t.ack.Reset()
	t.first.Reset()
	t.reply.Reset()
	t.pairs = t.pairs[:0]
}

func (t *tally) sent() {
	t.mu.Lock()
	t.questions++
	t.mu.Unlock()
}

func (t *tally) acked(d time.Duration) { t.record(t.ack, d) }
func (t *tally) began(d time.Duration) { t.record(t.first, d) }

func (t *tally) record(h *hdrhistogram.Histogram, d time.Duration) {
	t.mu.Lock()
	record(h, d)
	t.mu.Unlock()
}

func (t *tally) answered(at time.Time, d time.Duration) {
	t.record(t.reply, d)
	t.mu.Lock()
	t.answers++
	if t.within == 0 || d <= t.within {
		t.good++
	}
	t.lastAnswer = at
	t.mu.Unlock()
}

func (t *tally) refused(code string) {
	t.mu.Lock()
	t.refusals++
	t.faults["refused: "+code]++
	t.mu.Unlock()
}

func (t *tally) wrong() {
	t.mu.Lock()
	t.wrongs++
	t.mu.Unlock()
}

func (t *tally) lost() {
	t.mu.Lock()
	t.losses++
	t.mu.Unlock()
}

func (t *tally) fault(kind, detail string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults[kind]++
	if t.firstFault == "" {
		t.firstFault = kind + ": " + detail
	}
}

// settled says whether every question has come to an end.
func (t *tally) settled() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.answers+t.refusals+t.losses+t.wrongs >= t.questions
}

// missed counts questions that were due and could not be asked.
func (t *tally) missed(n int64) {
	t.mu.Lock()
	t.questions += n
	t.losses += n
	t.mu.Unlock()
}

// ended counts the questions that have come to an end, whichever.
func (t *tally) ended() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.answers + t.refusals + t.losses + t.wrongs
}

// counts is what was counted so far.
func (t *tally) counts() (questions, answers, good int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.questions, t.answers, t.good
}

// Quantiles are milliseconds.
type Quantiles struct {
	N                  int64 `json:"n"`
	P50, P95, P99, Max float64
	Mean, Deviation    float64
}

func quantiles(h *hdrhistogram.Histogram) Quantiles {
	ms := func(us int64) float64 { return float64(us) / 1000 }
	return Quantiles{
		N: h.TotalCount(), P50: ms(h.ValueAtQuantile(50)), P95: ms(h.ValueAtQuantile(95)), P99: ms(h.ValueAtQuantile(99)),
		Max: ms(h.Max()), Mean: h.Mean() / 1000, Deviation: h.StdDev() / 1000,
	}
}

// outcome is a tally at its end.
func (t *tally) outcome(took time.Duration) Outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := Outcome{
		Questions: t.questions, Answers: t.answers, Refused: t.refusals, Good: t.good, Seconds: took.Seconds(),
		Lost: t.questions - t.answers - t.refusals - t.wrongs,
		Ack:  quantiles(t.ack), First: quantiles(t.first), Reply: quantiles(t.reply),
		Faults: maps.Clone(t.faults), FirstFault: t.firstFault,
	}
	return o
}

// Outcome is what one measurement over visitors came to.
type Outcome struct {
	Questions  int64            `json:"questions"`
	Answers    int64            `json:"answers"`
	Refused    int64            `json:"refused"`
	Lost       int64            `json:"lost"` // neither answered nor refused
	Good       int64            `json:"good"` // answered within the bound of the measurement
	Seconds    float64          `json:"seconds"`
	Ack        Quantiles        `json:"ack"`
	First      Quantiles        `json:"first_piece"`
	Reply      Quantiles        `json:"reply"`
	Faults     map[string]int64 `json:"faults,omitempty"`
	FirstFault string           `json:"first_fault,omitempty"`
}

// Rate is answers a second.
func (o Outcome) Rate() float64 {
	if o.Seconds <= 0 {
		return 0
	}
	return float64(o.Answers) / o.Seconds
}

// Errors counts what was not as it should be.
func (o Outcome) Errors() int64 {
	n := o.Lost
	for kind, k := range o.Faults {
		if kind != "" {
			n += k
		}
	}
	return n
}

// String is the outcome on one line.
func (o Outcome) String() string {
	return fmt.Sprintf("%d answers, %.0f/s, reply p50 %.1f p99 %.1f ms, %d errors %s", o.Answers, o.Rate(), o.Reply.P50, o.Reply.P99, o.Errors(), o.FirstFault)
}
