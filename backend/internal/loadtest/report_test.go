package loadtest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func sample() *Suite {
	return &Suite{
		Machine: "2 x <b>test</b>", Go: "go1", When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Held: 19000, Rate: 1000,
		Rows: []Row{
			{Part: "turns", Name: "met <i>", Target: "≤ 1", Result: "0.5", Met: true},
			{Part: "turns", Name: "missed", Target: "≤ 1", Result: "2", Note: "noise & more"},
			{Part: "turns", Name: "for information", Result: "7"},
		},
		Plots: []Plot{{Title: `A "plot"`, XLabel: "x", YLabel: "y", Lines: map[string][]Point{"one": {{1, 2}, {2, 3.5}}, "two": {{1, 1}}}}},
	}
}

func filled() *Suite {
	s := sample()
	s.estimate()
	return s
}

func TestTableSaysEveryMiss(t *testing.T) {
	var b bytes.Buffer
	if err := filled().Table(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 9 || !strings.Contains(lines[6], " ok ") || !strings.Contains(lines[7], "MISS") || strings.Contains(lines[8], "MISS") || !strings.Contains(lines[0], "serves about 19,000 visitors") {
		t.Errorf("%s", b.String())
	}
}

// TestPage: texts are escaped, every plot is well-formed and inside its frame.
func TestPage(t *testing.T) {
	var b bytes.Buffer
	if err := filled().HTML(&b); err != nil {
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

// TestEstimate: neither more than were connected nor more than can be answered.
func TestEstimate(t *testing.T) {
	for _, c := range []struct {
		held   int
		rate   float64
		serves int
		why    string
	}{
		{19000, 1000, 19000, "enough for all of them"},
		{19000, 100, 2100, "answers 100 questions a second"},
		{19000, 0, 19000, "were connected"},
		{0, 100, 2100, "answers 100"},
		{0, 0, 0, ""},
	} {
		s := &Suite{Held: c.held, Rate: c.rate}
		if s.estimate(); s.Serves != c.serves || !strings.Contains(s.Why, c.why) || (s.sentence() == "") != (c.serves == 0) {
			t.Errorf("%d held, %.0f a second: %d, %q", c.held, c.rate, s.Serves, s.Why)
		}
	}
}

// TestNumbersThatAreNone do not break the JSON.
func TestNumbersThatAreNone(t *testing.T) {
	s := &Suite{cfg: Config{}.withDefaults()}
	s.atMost("a share of nothing", 1, math.NaN(), "%.1f", "")
	s.tell("more than all", "", "%.1f", math.Inf(1))
	s.tell("a number", "", "%.1f", 2.5)
	if err := s.JSON(io.Discard); err != nil {
		t.Error(err)
	}
	if s.Rows[0].Met || s.Rows[0].Value != nil || *s.Rows[2].Value != 2.5 {
		t.Errorf("%+v", s.Rows)
	}
}

func TestFiguresOfRows(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -123: "-123", -1234: "-1,234"} {
		if got := figure("%.0f", v); got != want {
			t.Errorf("%v: %s", v, got)
		}
	}
	if got := figure("%.1f", 1234.56); got != "1234.6" {
		t.Error(got)
	}
}

func TestSlope(t *testing.T) {
	if got := slope([]Point{{1, 10}, {2, 12}, {3, 14}}); math.Abs(got-2) > 1e-9 {
		t.Errorf("%v", got)
	}
	if got := slope([]Point{{1, 10}}); got != 0 {
		t.Errorf("one point has no slope, got %v", got)
	}
}

func TestSourceAddresses(t *testing.T) {
	seen := map[string]int{}
	for n := 0; n < 1_000_000; n += perAddress {
		if a := from(n); a != nil {
			seen[a.String()]++
		}
	}
	if len(seen) != 1_000_000/perAddress-1 || seen["127.0.0.1:0"] != 0 || from(0) != nil || from(perAddress-1) != nil {
		t.Errorf("%v", seen)
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
	r := &Report{Connections: 5, Load: tl.outcome(2 * time.Second), Added: &Added{P50: 1.5, P99: 7}, Instrument: &Added{P50: 0.4, P99: 3}}
	if r.Load.Lost != 1 || r.Load.Errors() != 1 || r.Load.Rate() != 50 {
		t.Errorf("%+v", r.Load)
	}
	var table, page bytes.Buffer
	if err := r.Table(&table); err != nil || !strings.Contains(table.String(), "unanswered") || !strings.Contains(table.String(), "p50 0.4") {
		t.Errorf("%v\n%s", err, table.String())
	}
	if err := r.HTML(&page); err != nil || !strings.Contains(page.String(), "with one error") || !strings.Contains(page.String(), "0.4 / 3.0 ms") {
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
