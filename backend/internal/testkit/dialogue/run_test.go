package dialogue

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"haoke/backend/internal/chat"
)

// TestRecall holds the targets on seeds that nobody tuned to: 200 turns within
// 4,000 tokens: every first topic, at least 98.7 % of the probes, at most a
// quarter of the history's tokens; 1,000 turns: at least 95 %.
func TestRecall(t *testing.T) {
	for _, c := range []struct {
		turns, convs int
		known, share float64
	}{{200, 8, 0.987, 0.25}, {1000, 3, 0.95, 0.25}} {
		var out bytes.Buffer
		rep, err := Run(context.Background(), &out, Options{Turns: []int{c.turns}, Conversations: c.convs, Seed: 90_000})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("\n%s", out.String())
		first, known, share, n := 0.0, 0.0, 0.0, 0.0
		for _, row := range rep.Rows {
			switch row.Method {
			case "assembled":
				first, known, share, n = first+row.First, known+row.Known, share+row.Share, n+1
				if row.MaxTokens > 4000 {
					t.Errorf("%s: a prompt of %d tokens", row.Set, row.MaxTokens)
				}
			case "full history":
				if row.First < 1 || row.Known < 1 {
					t.Errorf("%s: the generator asks what was never said: %+v", row.Set, row)
				}
			case "last turns":
				if row.Known > 0.7 {
					t.Errorf("%s: the probes are too easy: the last turns know %.2f", row.Set, row.Known)
				}
			}
		}
		if n != 4 || first/n < 1 || known/n < c.known || share/n > c.share {
			t.Errorf("%d turns: first %.4f, known %.4f, share %.4f of %v sets; misses %+v", c.turns, first/n, known/n, share/n, n, rep.Misses)
		}
	}
}

func TestGenerateIsDeterministic(t *testing.T) {
	for _, s := range scripts() {
		a, b := generate(s, 7, 60, 20), generate(s, 7, 60, 20)
		if !reflect.DeepEqual(a, b) || len(a.Messages) != 120 || len(a.Probes) < 15 {
			t.Errorf("%s: %d messages, %d probes", s.name, len(a.Messages), len(a.Probes))
		}
		if reflect.DeepEqual(a.Messages, generate(s, 8, 60, 20).Messages) {
			t.Errorf("%s: the seed changes nothing", s.name)
		}
	}
}

// TestReaderIsStrict: what the reader takes for an answer and what not.
func TestReaderIsStrict(t *testing.T) {
	p := Probe{Answer: "42 cm", Evidence: "in size 42 cm please", Subject: "walnut desk", Stale: []string{"size 40 cm is right"}}
	for text, want := range map[string]bool{
		"the walnut desk\nin size 42 cm please":                                  true,
		"the walnut desk is 42 cm":                                               false, // the value alone may be another's
		"in size 42 cm please":                                                   false, // of what?
		"the walnut desk\nin size 42 cm please\nno, size 40 cm is right":         false, // stale last
		"size 40 cm is right\nthe walnut desk in size 42 cm please":              true,
		"the walnut desk" + strings.Repeat("\nx", 30) + "\nin size 42 cm please": false, // too far apart
	} {
		r := newReader([]chat.PromptMessage{{Content: text}, {Content: "in size 42 cm please walnut desk"}}, "in size 42 cm please walnut desk")
		if got := r.knows(p); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

const corpusFile = `{"id":"a","lang":"en","messages":[{"from":"user","text":"Hello, my kettle from order AB-12345 leaks at the lid"},{"from":"assistant","text":"Sorry to hear that. Your case is RX-99871 and a new lid is on its way."},{"from":"agent","text":"Mei here."}]}

{"id":"b","messages":[{"from":"visitor","text":"hi"}],"probes":[{"question":"what?","answer":"hi"}]}
`

func TestCorpus(t *testing.T) {
	list, err := ReadCorpus(strings.NewReader(corpusFile))
	if err != nil || len(list) != 2 {
		t.Fatalf("%v %v", list, err)
	}
	if p := list[0].Probes; len(p) != 3 || !p[0].First || p[1].Answer != "AB-12345" || strings.Contains(p[1].Question, "AB-12345") {
		t.Errorf("made probes %+v", p)
	}
	if list[0].Messages[2].From != chat.FromOperator || len(list[1].Probes) != 1 {
		t.Errorf("read %+v", list)
	}
	var out bytes.Buffer
	rep, err := Run(context.Background(), &out, Options{Corpus: strings.NewReader(corpusFile)})
	if err != nil || len(rep.Rows) != 3 || rep.Rows[0].Known != 1 || !strings.Contains(out.String(), "corpus") {
		t.Errorf("%+v %v\n%s", rep, err, out.String())
	}
}

func TestCorpusErrors(t *testing.T) {
	for file, want := range map[string]string{
		"{":                                     "line 1",
		"\n{\"messages\":[{\"from\":\"cat\"}]}": "line 2: message 1",
	} {
		if _, err := ReadCorpus(strings.NewReader(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", file, err)
		}
	}
	if _, err := ReadCorpus(iotest.ErrReader(context.Canceled)); err == nil {
		t.Error("a broken reader gives no error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, &bytes.Buffer{}, Options{}); err == nil {
		t.Error("a cancelled run gives no error")
	}
}
