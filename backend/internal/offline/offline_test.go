package offline

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

//go:embed testdata/questions.txt
var questions string

//go:embed testdata/fresh.txt
var fresh string

// question is one line of the set.
type question struct{ text, want string }

// set gives the questions of a file in two halves.
func set(t *testing.T, file string) (odd, even []question) {
	t.Helper()
	n := 0
	for line := range strings.Lines(file) {
		text, want, ok := strings.Cut(strings.TrimSpace(line), " => ")
		if !ok || strings.HasPrefix(text, "#") {
			continue
		}
		if n++; n%2 == 1 {
			odd = append(odd, question{text, want})
		} else {
			even = append(even, question{text, want})
		}
	}
	return odd, even
}

func demoAnswerer(t testing.TB, cfg Config) *Answerer {
	t.Helper()
	entries, err := Demo()
	if err != nil {
		t.Fatal(err)
	}
	a := New(cfg, nil)
	a.Load(entries)
	return a
}

// result counts how a set of questions went.
type result struct{ on, right, wrong, missed, suggested, off, offWrong int }

func (r result) String() string {
	return fmt.Sprintf("%3d on topic: %5.1f %% right, %4.1f %% wrong answer, %4.1f %% \"I do not know\" (%.0f %% of these suggest the right one);  %2d off topic: %d answered",
		r.on, 100*float64(r.right)/float64(r.on), 100*float64(r.wrong)/float64(r.on), 100*float64(r.missed)/float64(r.on), 100*float64(r.suggested)/float64(max(1, r.missed)), r.off, r.offWrong)
}

func ask(t *testing.T, a *Answerer, list []question, show bool) result {
	t.Helper()
	var r result
	for _, q := range list {
		ans, err := a.Answer(context.Background(), q.text, "")
		if err != nil {
			t.Fatal(err)
		}
		verdict := ""
		switch {
		case q.want == "-":
			r.off++
			if ans.Found {
				r.offWrong++
				verdict = "OFF TOPIC"
			}
		case !ans.Found:
			r.on++
			r.missed++
			verdict = "missed"
			if len(ans.Near) > 0 && strings.Contains(ans.Near[0].Question, q.want) && strings.Contains(ans.Text, ans.Near[0].Question) {
				r.suggested++
			}
		case strings.HasPrefix(ans.Title, q.want) || strings.Contains(ans.Title, q.want):
			r.on++
			r.right++
		default:
			r.on++
			r.wrong++
			verdict = "wrong"
		}
		if show && verdict != "" {
			best := ans.Title
			if !ans.Found && len(ans.Near) > 0 {
				best = ans.Near[0].Question
			}
			t.Logf("%-9s %.2f  %s -> %s (want %s)", verdict, ans.Score, q.text, best, q.want)
		}
	}
	return r
}

// TestQuestionSet measures the answerer on paraphrases. The first file was
// written before the synonyms were completed; the second one afterwards.
func TestQuestionSet(t *testing.T) {
	a := demoAnswerer(t, Config{})
	odd, even := set(t, questions)
	f1, f2 := set(t, fresh)
	for _, c := range []struct {
		name             string
		list             []question
		right, wrong, of float64
	}{
		{"tuned on", odd, 0.88, 0.06, 0.10},
		{"same day, other half", even, 0.88, 0.06, 0.10},
		{"written afterwards", append(f1, f2...), 0.60, 0.12, 0.26},
	} {
		r := ask(t, a, c.list, true)
		t.Logf("%-27s %v", c.name, r)
		if float64(r.right) < c.right*float64(r.on) || float64(r.wrong) > c.wrong*float64(r.on) || float64(r.offWrong) > c.of*float64(r.off) {
			t.Errorf("%s: below the bound", c.name)
		}
	}
}

// store is a FAQ store that finds what it is told to.
type store struct {
	found []Match
	err   error
}

func (s store) Search(context.Context, string, string, int) ([]Match, error) { return s.found, s.err }

func TestStoreAndIndexTogether(t *testing.T) {
	own := Entry{ID: 7, Lang: "en", Question: "Do you repair bicycles?", Answer: "Yes, on Tuesdays."}
	a := New(Config{}, store{found: []Match{{Entry: own, Score: 3}}})
	ans, err := a.Answer(context.Background(), "do you repair bicycles", "")
	if err != nil || !ans.Found || ans.Entry != 7 {
		t.Errorf("from the store alone: %+v %v", ans, err)
	}
	broken := New(Config{}, store{err: errors.New("disk gone")})
	if ans, err = broken.Answer(context.Background(), "do you repair bicycles", ""); err == nil || ans.Text == "" {
		t.Errorf("a broken store: %+v %v", ans, err)
	}
	broken.Load([]Entry{own})
	if ans, err = broken.Answer(context.Background(), "do you repair bicycles", ""); err != nil || !ans.Found {
		t.Errorf("a broken store with the index in memory: %+v %v", ans, err)
	}
}

func TestExact(t *testing.T) {
	a := demoAnswerer(t, Config{})
	for text, want := range map[string]bool{
		"How do I return something?": true, "  how do i return something ": true, "请问怎么退货": true, "怎么退货呢？": true, "転": false,
		"How do I return something that my dog ate?": false, "return": false, "": false, "Where is my parcel?": true,
	} {
		ans, err := a.Exact(context.Background(), text)
		if err != nil || ans.Found != want {
			t.Errorf("Exact(%q) = %+v %v, want found %v", text, ans, err, want)
		}
	}
}

func TestSorryIsInTheVisitorsLanguage(t *testing.T) {
	a := demoAnswerer(t, Config{})
	for _, c := range []struct{ text, locale, want string }{
		{"What is the meaning of life", "", "ask for a person"}, {"人生的意义是什么", "en", "转人工"}, {"Was ist der Sinn des Lebens", "de-DE", "Person"},
		{"Смысл жизни?", "", "сотрудником"}, {"人生の意味は何ですか", "", "スタッフ"}, {"zzz", "xx", "ask for a person"},
	} {
		ans, err := a.Answer(context.Background(), c.text, c.locale)
		if err != nil || ans.Found || !strings.Contains(ans.Text, c.want) {
			t.Errorf("%q (%s): %+v %v", c.text, c.locale, ans, err)
		}
	}
}

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = "Yes, we ship to Japan (日本): 包邮，三天内送达。 \"ok\" <b> 👍🏽"
		var got strings.Builder
		n := 0
		start := time.Now()
		err := Stream(context.Background(), text, func(raw []byte) error {
			var s string
			if err := json.Unmarshal(raw, &s); err != nil {
				return err
			}
			got.WriteString(s)
			n++
			return nil
		}, 20*time.Millisecond)
		if err != nil || got.String() != text || n < 12 {
			t.Errorf("%d pieces, %q, %v", n, got.String(), err)
		}
		if took := time.Since(start); took != time.Duration(n-1)*20*time.Millisecond {
			t.Errorf("took %v for %d pieces", took, n)
		}
	})
}

func TestStreamStops(t *testing.T) {
	stop := errors.New("enough")
	if err := Stream(context.Background(), "one two three", func([]byte) error { return stop }, 0); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	err := Stream(ctx, "one two three", func([]byte) error { cancel(); return nil }, time.Hour)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestCSVRoundTrip(t *testing.T) {
	entries, err := Demo()
	if err != nil || len(entries) < 80 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	var buf bytes.Buffer
	if err := WriteCSV(&buf, entries); err != nil {
		t.Fatal(err)
	}
	back, err := ReadCSV(&buf)
	if err != nil {
		t.Fatal(err)
	}
	for i := range back {
		back[i].ID = entries[i].ID
	}
	if !reflect.DeepEqual(back, entries) {
		t.Error("what was written is not what was read")
	}
}

func TestCSVErrors(t *testing.T) {
	for file, want := range map[string]string{
		"":                              "question,answer",
		"a,b\n1,2\n":                    "line 1",
		"question,answer\nq1,a1\nq2,\n": "line 3",
		"question,answer\n,a1\n":        "line 2",
		"question,answer\n\"q1,a1\n":    "line",
		"question,answer\nq\xff,a\n":    "UTF-8",
		"question,answer\n" + strings.Repeat("x", maxField+1) + ",a": "longer",
	} {
		if _, err := ReadCSV(strings.NewReader(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: error %v, want %q", file, err, want)
		}
	}
	list, err := ReadCSV(strings.NewReader("\uFEFFAnswer;Question\r\nAn answer;A question\r\n;\r\n"))
	if err != nil || len(list) != 1 || list[0].Question != "A question" {
		t.Errorf("semicolons: %+v %v", list, err)
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("question,answer,lang,alternatives\nq,a,en,b|c\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ReadCSV(bytes.NewReader(data))
		if err != nil {
			return
		}
		a := New(Config{}, nil)
		a.Load(list)
		if _, err := a.Answer(context.Background(), string(data), ""); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	a := demoAnswerer(b, Config{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Answer(context.Background(), "How long until my parcel gets here?", "en"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAnswer10000(b *testing.B) {
	demo, err := Demo()
	if err != nil {
		b.Fatal(err)
	}
	var many []Entry
	for i := range 10000 {
		e := demo[i%len(demo)]
		e.ID = int64(i + 1)
		e.Question += fmt.Sprintf(" model%d", i)
		many = append(many, e)
	}
	a := New(Config{}, nil)
	a.Load(many)
	for b.Loop() {
		if _, err := a.Answer(context.Background(), "How long until my parcel gets here?", "en"); err != nil {
			b.Fatal(err)
		}
	}
}
