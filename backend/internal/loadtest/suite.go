package loadtest

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// Row is one line of the table: what was asked for beside what came.
type Row struct {
	Part   string   `json:"part"`
	Name   string   `json:"name"`
	Target string   `json:"target,omitempty"` // empty: for information
	Result string   `json:"result"`
	Met    bool     `json:"met"`
	Note   string   `json:"note,omitempty"`
	Busy   bool     `json:"busy,omitempty"`  // the machine was too busy to tell: not met, and not judged
	Value  *float64 `json:"value,omitempty"` // the result as a number, where it is one
	Limit  *float64 `json:"limit,omitempty"` // the target as a number
}

// Point is one point of a plot.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Plot is a curve of the report.
type Plot struct {
	Title  string             `json:"title"`
	XLabel string             `json:"x"`
	YLabel string             `json:"y"`
	Names  []string           `json:"names,omitempty"` // of x 0, 1, 2, ..., where steps are not even
	Lines  map[string][]Point `json:"lines"`
}

// Suite is the short form of every benchmark.
type Suite struct {
	When    time.Time `json:"when"`
	Machine string    `json:"machine"`
	Go      string    `json:"go"`
	Version string    `json:"version"` // of Haoke
	Command string    `json:"command"` // that made this report
	Seconds float64   `json:"seconds"`
	Rows    []Row     `json:"rows"`
	Plots   []Plot    `json:"plots"`
	Held    int       `json:"held"`          // visitors at once that were really connected
	Rate    float64   `json:"rate"`          // durable turns a second at most
	Serves  int       `json:"serves"`        // visitors at once that this machine serves; 0: not measured
	Why     string    `json:"why,omitempty"` // what Serves rests on

	cfg  Config
	part string
	dir  string
}

// section is one part of the suite.
type section struct {
	name  string
	run   func(*Suite, context.Context) error
	asked bool // runs only when it is asked for by name
}

// sections are the parts in the order of their run.
func sections() []section {
	return []section{
		{name: "connections", run: (*Suite).connections},
		{name: "turns", run: (*Suite).turns},
		{name: "throughput", run: (*Suite).throughput},
		{name: "memory", run: (*Suite).memoryOfTurns},
		{name: "scans", run: (*Suite).scans},
		{name: "start", run: (*Suite).coldStart},
		{name: "growth", run: (*Suite).growth},
		{name: "recall", run: (*Suite).recall},
		{name: "compression", run: (*Suite).compression},
		{name: "collector", run: (*Suite).collector, asked: true},
	}
}

// Sections names the parts of the short form.
func Sections() []string {
	var names []string
	for _, s := range sections() {
		names = append(names, s.name)
	}
	return names
}

// IsSection reports whether Short knows a part of that name.
func IsSection(name string) bool { return slices.Contains(Sections(), name) }

// Short runs the short form of every benchmark, or of those in only. A part
// that cannot be carried out is a row that says so.
func Short(ctx context.Context, cfg Config, only []string) (*Suite, error) {
	s, err := newSuite(cfg, "")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(s.dir)
	begun := time.Now()
	for _, x := range sections() {
		if len(only) > 0 && !slices.Contains(only, x.name) || len(only) == 0 && x.asked {
			continue
		}
		s.part = x.name
		s.cfg.Log("%s", x.name)
		if err := x.run(s, ctx); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			s.Rows = append(s.Rows, Row{Part: x.name, Name: "not carried out", Target: "a result", Result: err.Error()})
		}
	}
	s.Seconds = time.Since(begun).Seconds()
	s.estimate()
	return s, nil
}

// A visitor in a conversation writes about every half minute; a machine that
// is to stay quick is not loaded beyond seven tenths of what it can do.
const (
	writesEvery = 30 * time.Second
	reserve     = 0.7
)

// estimate answers the owner's question from what was measured: no more
// visitors than were really connected, and no more than can be answered.
func (s *Suite) estimate() {
	answered := int(s.Rate * reserve * writesEvery.Seconds())
	switch {
	case s.Held > 0 && (s.Rate == 0 || s.Held <= answered):
		s.Serves = s.Held
		s.Why = fmt.Sprintf("%s were connected at once, the most that this system lets one program open or this test asks for.", thousands(s.Held))
	case s.Rate > 0:
		s.Serves = answered / 100 * 100
		s.Why = fmt.Sprintf("It answers %s questions a second at most. With each visitor writing every %.0f seconds and three tenths in reserve, that is %s visitors.", figure("%.0f", s.Rate), writesEvery.Seconds(), thousands(s.Serves))
	}
	if s.Rate > 0 && s.Serves == s.Held {
		s.Why += fmt.Sprintf(" It answers %s questions a second at most, enough for all of them to write every %.0f seconds.", figure("%.0f", s.Rate), writesEvery.Seconds())
	}
}

// sentence is the owner's answer; "" when the parts that it rests on did not
// run.
func (s *Suite) sentence() string {
	if s.Serves == 0 {
		return ""
	}
	return fmt.Sprintf("This machine serves about %s visitors at once.", thousands(s.Serves))
}

// newSuite makes a suite with a scratch folder, which the caller removes.
func newSuite(cfg Config, part string) (*Suite, error) {
	dir, err := scratch()
	if err != nil {
		return nil, err
	}
	return &Suite{When: time.Now().UTC().Truncate(time.Second), Machine: machine(), Go: runtime.Version(), Version: cfg.Version, Command: cfg.Command, cfg: cfg.withDefaults(), part: part, dir: dir}, nil
}

// atMost adds a row whose value must not be above the target.
func (s *Suite) atMost(name string, target, value float64, format, note string) {
	s.add(Row{Name: name, Target: "≤ " + figure(format, target), Result: figure(format, value), Met: value <= target, Note: note, Value: number(value), Limit: &target})
}

// atLeast adds a row whose value must not be below the target.
func (s *Suite) atLeast(name string, target, value float64, format, note string) {
	s.add(Row{Name: name, Target: "≥ " + figure(format, target), Result: figure(format, value), Met: value >= target, Note: note, Value: number(value), Limit: &target})
}

// tell adds a row without a target.
func (s *Suite) tell(name, note, format string, args ...any) {
	r := Row{Name: name, Result: fmt.Sprintf(format, args...), Met: true, Note: note}
	if len(args) == 1 {
		if v, ok := args[0].(float64); ok {
			r.Value, r.Result = number(v), figure(format, v)
		}
	}
	s.add(r)
}

// figure is a value in its format; whole ones have marks between thousands.
func figure(format string, v float64) string {
	if format == "%.0f" && math.Abs(v) < 1e15 {
		return thousands(int(math.Round(v)))
	}
	return fmt.Sprintf(format, v)
}

// number is v where JSON can hold it: a share of nothing is no number.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func (s *Suite) add(r Row) {
	r.Part = s.part
	s.Rows = append(s.Rows, r)
	s.cfg.Log("  %-52s %-16s %s", r.Name, r.Target, r.Result)
}

// errorsOf adds the row of everything that was not as it should be.
func (s *Suite) errorsOf(name string, o Outcome) {
	note := o.FirstFault
	if o.Lost > 0 {
		note = fmt.Sprintf("%d unanswered; %s", o.Lost, note)
	}
	s.atMost(name, 0, float64(o.Errors()), "%.0f", note)
}

// JSON writes the suite as one JSON document.
func (s *Suite) JSON(w io.Writer) error { return writeJSON(w, s) }

// Table writes the suite for a terminal.
func (s *Suite) Table(w io.Writer) error {
	if line := s.sentence(); line != "" {
		fmt.Fprintf(w, "%s\n%s\n\n", line, s.Why)
	}
	fmt.Fprintf(w, "%s, %s, %s, %.0f s\n\n", s.Machine, s.Go, s.When.Format("2006-01-02 15:04 MST"), s.Seconds)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "PART\tWHAT\tTARGET\tRESULT\t\tNOTE")
	for _, r := range s.Rows {
		mark := "ok"
		switch {
		case r.Target == "":
			mark = ""
		case r.Busy:
			mark = "busy"
		case !r.Met:
			mark = "MISS"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Part, r.Name, r.Target, r.Result, mark, r.Note)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}
