package loadtest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"
)

func sample() *Suite {
	return &Suite{
		Machine: "2 x <b>test</b>", Go: "go1", When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Serves: 19000,
		Rows: []Row{
			{Part: "turns", Name: "met <i>", Target: "≤ 1", Result: "0.5", Met: true},
			{Part: "turns", Name: "missed", Target: "≤ 1", Result: "2", Note: "noise & more"},
			{Part: "turns", Name: "for information", Result: "7"},
		},
		Plots: []Plot{{Title: `A "plot"`, XLabel: "x", YLabel: "y", Lines: map[string][]Point{"one": {{1, 2}, {2, 3.5}}, "two": {{1, 1}}}}},
	}
}

func TestTableSaysEveryMiss(t *testing.T) {
	var b bytes.Buffer
	if err := sample().Table(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 6 || !strings.Contains(lines[3], " ok ") || !strings.Contains(lines[4], "MISS") || strings.Contains(lines[5], "MISS") {
		t.Errorf("%s", b.String())
	}
}

// TestPage: texts are escaped, every plot is well-formed and inside its frame.
func TestPage(t *testing.T) {
	var b bytes.Buffer
	if err := sample().HTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if strings.Contains(page, "<b>test") || strings.Contains(page, "<i>") || strings.Contains(page, "http") || strings.Contains(page, "<script") {
		t.Error("unescaped text or something from elsewhere")
	}
	if !strings.Contains(page, "serves about 19,000 visitors at once") || strings.Count(page, `class="miss"`) != 1 {
		t.Errorf("%s", page)
	}
	from, to := strings.Index(page, "<svg"), strings.Index(page, "</svg>")
	for d := xml.NewDecoder(strings.NewReader(page[from : to+len("</svg>")])); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestJSONHoldsTheRows(t *testing.T) {
	var b bytes.Buffer
	if err := sample().JSON(&b); err != nil {
		t.Fatal(err)
	}
	var back Suite
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || len(back.Rows) != 3 || back.Rows[1].Met {
		t.Errorf("%v %+v", err, back)
	}
}

func TestReportOfOneRun(t *testing.T) {
	tl := newTally()
	for i := range 100 {
		tl.sent()
		tl.answered(time.Now(), time.Duration(i+1)*time.Millisecond)
	}
	tl.sent()
	r := &Report{Connections: 5, Load: tl.outcome(2 * time.Second), Direct: &Outcome{Reply: Quantiles{N: 1, P50: 40, P99: 50}}}
	r.judge()
	if r.Load.Lost != 1 || r.Load.Errors() != 1 || r.Load.Rate() != 50 {
		t.Errorf("%+v", r.Load)
	}
	if r.Added.P50 < 9.9 || r.Added.P50 > 10.2 {
		t.Errorf("added %+v", r.Added)
	}
	var table, page bytes.Buffer
	if err := r.Table(&table); err != nil || !strings.Contains(table.String(), "unanswered") {
		t.Errorf("%v\n%s", err, table.String())
	}
	if err := r.HTML(&page); err != nil || !strings.Contains(page.String(), "with 1 errors") {
		t.Errorf("%v\n%s", err, page.String())
	}
}

// TestWarmUpIsForgotten: but what was wrong stays wrong.
func TestWarmUpIsForgotten(t *testing.T) {
	tl := newTally()
	tl.sent()
	tl.answered(time.Now(), time.Second)
	tl.fault("wrong frame", "x")
	tl.reset()
	o := tl.outcome(time.Second)
	if o.Answers != 0 || o.Reply.N != 0 || o.Errors() != 1 {
		t.Errorf("%+v: faults stay, figures go", o)
	}
}

func TestReadyLine(t *testing.T) {
	f := readyFields("ready public=http://127.0.0.1:1 admin=http://127.0.0.1:2 vitals=http://127.0.0.1:3\n")
	if f["public"] != "http://127.0.0.1:1" || f["vitals"] != "http://127.0.0.1:3" {
		t.Errorf("%v", f)
	}
	if readyFields("panic: no") != nil {
		t.Error("not a ready line")
	}
}

func TestRoundAxis(t *testing.T) {
	for v, want := range map[float64]float64{0.7: 1, 1.2: 2, 2.3: 2.5, 26: 50, 563: 1000} {
		if got := ceil(v); got != want {
			t.Errorf("ceil(%v) = %v, want %v", v, got, want)
		}
	}
}
