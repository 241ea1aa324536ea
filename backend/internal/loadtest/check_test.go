package loadtest

import (
	"strings"
	"testing"
)

// TestChecker: a right exchange passes, and each way to be wrong is found.
func TestChecker(t *testing.T) {
	right := []string{
		`{"type":"ack","id":"q1","seq":1}`,
		`{"type":"message","seq":1,"from":"visitor","text":"hi","id":"q1"}`,
		`{"type":"status","state":"thinking"}`,
		`{"type":"ai","seq":2,"part":0,"data":"a \"word\""}`,
		`{"type":"ai","seq":2,"part":1,"data":" b\u00e9"}`,
		`{"type":"message","seq":2,"from":"ai","text":"a \"word\" bé","finish":"stop"}`,
		`{"type":"status","state":"idle"}`,
	}
	with := func(i int, frame string) []string {
		out := append([]string{}, right...)
		out[i] = frame
		return out
	}
	without := func(i int) []string {
		out := append([]string{}, right[:i]...)
		return append(out, right[i+1:]...)
	}
	cases := []struct {
		name   string
		frames []string
		fault  string // empty: none
	}{
		{"right", right, ""},
		{"restarted answer", append(append([]string{}, right[:4]...), right[3:]...), ""},
		{"no ack", without(0), "acknowledged as 0"},
		{"two acks", append([]string{right[0]}, right...), "second ack"},
		{"foreign ack", with(0, `{"type":"ack","id":"other","seq":1}`), "not under way"},
		{"lost piece", without(3), "expected"},
		{"piece of another answer", with(4, `{"type":"ai","seq":3,"part":1,"data":"b"}`), "expected"},
		{"piece out of order", with(4, `{"type":"ai","seq":2,"part":2,"data":"b"}`), "piece 2"},
		{"text differs", with(5, `{"type":"message","seq":2,"from":"ai","text":"a word","finish":"stop"}`), "differs"},
		{"gap in seq", with(5, `{"type":"message","seq":4,"from":"ai","text":"a \"word\" bé","finish":"stop"}`), "message 4 after 1"},
		{"apology", with(5, `{"type":"message","seq":2,"from":"system","text":"sorry","finish":"error"}`), "instead of an answer"},
		{"cut", with(5, `{"type":"message","seq":2,"from":"ai","text":"a \"word\" bé","finish":"error"}`), "finish"},
		{"own words changed", with(1, `{"type":"message","seq":1,"from":"visitor","text":"ho","id":"q1"}`), "came back changed"},
		{"answered twice", append(append([]string{}, right...), `{"type":"message","seq":3,"from":"ai","text":"x","finish":"stop"}`), "without a question"},
		{"unknown frame", with(2, `{"type":"surprise"}`), "surprise"},
		{"not JSON", with(2, `{"type":`), "frame"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var k checker
			k.start(&ask{id: "q1", text: "hi", want: "word"})
			fault, over := "", 0
			for _, f := range c.frames {
				ev, err := k.frame([]byte(f))
				if err != nil && fault == "" {
					fault = err.Error()
				}
				if ev == answered && err == nil {
					over++
				}
			}
			if c.fault == "" && (fault != "" || over != 1) || c.fault != "" && !strings.Contains(fault, c.fault) {
				t.Errorf("fault %q, %d answers", fault, over)
			}
		})
	}
}

func TestCheckerFindsForeignAnswers(t *testing.T) {
	var k checker
	k.start(&ask{id: "q1", text: "hi", want: "zebra"})
	k.frame([]byte(`{"type":"ack","id":"q1","seq":1}`))
	k.frame([]byte(`{"type":"ai","seq":2,"part":0,"data":"lion"}`))
	if _, err := k.frame([]byte(`{"type":"message","seq":2,"from":"ai","text":"lion","finish":"stop"}`)); err == nil {
		t.Error("an answer to somebody else passed")
	}
}

func TestRefusalIsNoFault(t *testing.T) {
	var k checker
	k.start(&ask{id: "q1", text: "hi"})
	if ev, err := k.frame([]byte(`{"type":"error","code":"rate_limited","message":"later","id":"q1"}`)); ev != refused || err != nil || k.code != "rate_limited" {
		t.Errorf("%v %v %s", ev, err, k.code)
	}
	if _, err := k.frame([]byte(`{"type":"error","code":"bad_frame","message":"what"}`)); err == nil {
		t.Error("an error frame out of the blue passed")
	}
}

func TestWordsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for n := range uint64(70_000) {
		w := wordOf(n)
		if seen[w] || strings.ContainsAny(w, "0123456789") {
			t.Fatalf("%d: %q", n, w)
		}
		seen[w] = true
	}
}

func TestFigures(t *testing.T) {
	f, err := parseFigures(strings.NewReader("# HELP x y\n# TYPE x counter\nx{a=\"1 2\"} 3\nx{a=\"b\"} 4.5\ny 1e3\n\n"))
	if err != nil || f["x"] != 7.5 || f["y"] != 1000 {
		t.Errorf("%v %v", f, err)
	}
	if _, err := parseFigures(strings.NewReader("x what\n")); err == nil {
		t.Error("no error for what is no number")
	}
}
