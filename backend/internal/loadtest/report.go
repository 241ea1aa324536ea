package loadtest

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"
)

// Report is what a load test found out. Figures that could not be measured are
// zero.
type Report struct {
	When     time.Time `json:"when"`
	Machine  string    `json:"machine"`
	Go       string    `json:"go"`
	Visitors int       `json:"visitors"`
	Rate     float64   `json:"rate"`

	Connections        int      `json:"connections"`
	BytesPerConnection float64  `json:"bytes_per_connection"`
	IdleCPU            float64  `json:"idle_cpu"` // share of one processor, all visitors connected, nothing said
	StartSeconds       float64  `json:"start_seconds"`
	Load               Outcome  `json:"load"`
	Direct             *Outcome `json:"direct,omitempty"` // the same calls without the server
	Added              *Added   `json:"added,omitempty"`
	Instrument         *Added   `json:"instrument,omitempty"` // what direct calls show: this process' own part of Added
	ServerAdded        float64  `json:"server_added_ms"`      // mean of the server's own haoke_added_seconds
	CallsPerMinute     float64  `json:"upstream_calls_per_minute"`
	DialsPerCall       float64  `json:"dials_per_call"`
	BytesPerMessage    float64  `json:"bytes_per_message"` // allocated by the server for one question and its answer
	AllocsPerMessage   float64  `json:"allocs_per_message"`
	CPUPerTurn         float64  `json:"cpu_us_per_turn"`

	tally *tally // of the load
	brief bool   // the processor at rest is not measured: the suite has a part of its own for that
}

func newReport(c Config) *Report {
	return &Report{When: time.Now().UTC().Truncate(time.Second), Machine: machine(), Go: runtime.Version(), Visitors: c.Visitors, Rate: c.Rate}
}

// JSON writes the report as one JSON document.
func (r *Report) JSON(w io.Writer) error { return writeJSON(w, r) }

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// sentence is the answer to the owner's question.
func (r *Report) sentence() string {
	switch n := r.Load.Errors(); {
	case n == 0:
		return fmt.Sprintf("This machine served %s visitors at once without an error.", thousands(r.Connections))
	case n == 1:
		return fmt.Sprintf("This machine served %s visitors at once, with one error.", thousands(r.Connections))
	default:
		return fmt.Sprintf("This machine served %s visitors at once, with %s errors.", thousands(r.Connections), thousands(int(n)))
	}
}

// Table writes the report for a terminal.
func (r *Report) Table(w io.Writer) error {
	fmt.Fprintf(w, "%s\nHow many it can serve at most: haoked bench --short\n\n", r.sentence())
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("machine", "%s, %s", r.Machine, r.Go)
	row("connections held", "%d", r.Connections)
	if r.BytesPerConnection > 0 {
		row("memory a connection", "%.1f KB", r.BytesPerConnection/1024)
		row("processor at rest", "%.1f %% of one", r.IdleCPU*100)
	}
	l := r.Load
	row("messages/s", "%.1f (%d questions, %d answers)", l.Rate(), l.Questions, l.Answers)
	if r.CallsPerMinute > 0 {
		row("upstream calls a minute", "%.0f", r.CallsPerMinute)
		row("new upstream connections a call", "%.4f", r.DialsPerCall)
	}
	row("acknowledged", "p50 %.1f  p95 %.1f  p99 %.1f ms", l.Ack.P50, l.Ack.P95, l.Ack.P99)
	row("first piece", "p50 %.1f  p95 %.1f  p99 %.1f ms", l.First.P50, l.First.P95, l.First.P99)
	row("reply", "p50 %.1f  p95 %.1f  p99 %.1f  sd %.1f ms", l.Reply.P50, l.Reply.P95, l.Reply.P99, l.Reply.Deviation)
	if r.Direct != nil {
		row("upstream's own (direct calls)", "p50 %.1f  p95 %.1f  p99 %.1f  sd %.1f ms", r.Direct.Reply.P50, r.Direct.Reply.P95, r.Direct.Reply.P99, r.Direct.Reply.Deviation)
	}
	if r.Added != nil {
		row("added latency", "p50 %.1f  p95 %.1f  p99 %.1f  sd %.1f ms (each answer less the upstream's own time of it)", r.Added.P50, r.Added.P95, r.Added.P99, r.Added.Deviation)
	}
	if r.Instrument != nil {
		row("  of direct calls, the load test's own", "p50 %.1f  p95 %.1f  p99 %.1f  sd %.1f ms", r.Instrument.P50, r.Instrument.P95, r.Instrument.P99, r.Instrument.Deviation)
	}
	if r.BytesPerMessage > 0 {
		row("allocated a message", "%.1f KB in %.0f objects", r.BytesPerMessage/1024, r.AllocsPerMessage)
		row("processor time a message", "%.0f µs", r.CPUPerTurn)
	}
	row("errors", "%d", l.Errors())
	for kind, n := range l.Faults {
		row("  "+kind, "%d", n)
	}
	if l.Lost > 0 {
		row("  unanswered", "%d", l.Lost)
	}
	if l.FirstFault != "" {
		row("  the first", "%s", l.FirstFault)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
