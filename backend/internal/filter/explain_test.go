package filter

import (
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
)

func TestExplain(t *testing.T) {
	cfg := testConfig()
	cfg.Pinyin = true
	now := time.Unix(0, 0)
	cfg.Now = func() time.Time { now = now.Add(time.Microsecond); return now }
	f := must(t, cfg)
	x := f.Explain(chat.Inbound, "ＳＰＡＭ, 我的电话13812345678, 敏感肌")
	if len(x.Layers) != 2 || len(x.Layers[0].Hits) != 1 || len(x.Layers[1].Hits) != 1 {
		t.Fatalf("layers %+v", x.Layers)
	}
	if h := x.Layers[0].Hits[0]; h.Rule != "spam" || h.Match != "ＳＰＡＭ" || h.Start != 0 || h.End != 12 || h.Category != "advertising" {
		t.Errorf("hit %+v", h)
	}
	if x.Layers[0].Took != time.Microsecond || x.Layers[1].Took != time.Microsecond {
		t.Errorf("took %v and %v of a clock that steps by 1 µs", x.Layers[0].Took, x.Layers[1].Took)
	}
	if !strings.HasPrefix(x.Normalised, "spam 我的电话13812345678") || !strings.Contains(x.Pinyin, "wo de dian hua") {
		t.Errorf("normalised %q, pinyin %q", x.Normalised, x.Pinyin)
	}
	if len(x.Excepted) != 1 || x.Excepted[0].Rule != "敏感" {
		t.Errorf("excepted %+v", x.Excepted)
	}
}

func TestActions(t *testing.T) {
	f := must(t, Config{
		Words: []WordList{
			{Name: "a", Entries: []string{"blockme"}},
			{Name: "b", Action: chat.ActionMask, Entries: []string{"maskme", "双语"}},
			{Name: "c", Action: chat.ActionReplace, Replace: "kind", Entries: []string{"rude"}},
			{Name: "d", Action: chat.ActionHandover, Entries: []string{"lawyer"}},
			{Name: "e", Action: chat.ActionNote, Entries: []string{"refund"}},
			{Name: "f", Direction: OutOnly, Entries: []string{"outword"}},
		},
		Patterns: []Pattern{{Name: "p", Expr: `maskme \d+`, Action: chat.ActionReplace, Replace: "#"}},
	})
	for _, c := range []struct {
		dir        chat.Direction
		text, want string
		action     chat.Action
		hits       int
	}{
		{chat.Inbound, "hello", "hello", "", 0},
		{chat.Inbound, "blockme", "blockme", chat.ActionBlock, 1},
		{chat.Outbound, "blockme", "*******", chat.ActionMask, 1},
		{chat.Inbound, "a maskme 双语 b", "a ****** ** b", chat.ActionMask, 2},
		{chat.Inbound, "a maskme 12 b", "a # b", chat.ActionReplace, 2},
		{chat.Inbound, "you rude one", "you kind one", chat.ActionReplace, 1},
		{chat.Inbound, "my lawyer, maskme", "my lawyer, ******", chat.ActionHandover, 2},
		{chat.Inbound, "refund please", "refund please", chat.ActionNote, 1},
		{chat.Inbound, "outword", "outword", "", 0},
		{chat.Outbound, "outword", "*******", chat.ActionMask, 1},
		{chat.Inbound, "bad \xff bytes maskme", "bad \uFFFD bytes ******", chat.ActionMask, 1},
	} {
		v := f.Check(c.dir, c.text)
		if v.Text != c.want || v.Action != c.action || len(v.Hits) != c.hits {
			t.Errorf("%s %q: got %q %s %v, want %q %s", c.dir, c.text, v.Text, v.Action, v.Hits, c.want, c.action)
		}
	}
	shadow := must(t, Config{Shadow: true, Words: []WordList{{Name: "a", Entries: []string{"blockme"}}}})
	if v := shadow.Check(chat.Inbound, "blockme"); v.Action != chat.ActionNote || v.Text != "blockme" {
		t.Errorf("shadow: %+v", v)
	}
}

func TestReport(t *testing.T) {
	f := must(t, Config{
		Words: []WordList{
			{Name: "one", Action: chat.ActionMask, Entries: []string{"spam", "x", "***", "SPAM"}},
			{Name: "two", Action: chat.ActionBlock, Entries: []string{"ｓｐａｍ"}},
		},
		Allow: []string{"spam", "!"},
	})
	var all strings.Builder
	for _, p := range f.Report().Problems {
		all.WriteString(p.List + " " + p.Entry + " " + p.Reason + "\n")
	}
	for _, want := range []string{"one x is a single letter", "one *** has no letters", `one SPAM is there twice`, "two ｓｐａｍ is also in \"one\" with action mask: the stricter block applies", "the exception wins", "allow ! has no letters"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no %q in\n%s", want, &all)
		}
	}
	if v := f.Check(chat.Inbound, "spam"); v.Action != "" {
		t.Errorf("an excepted word hit: %+v", v)
	}
	for _, cfg := range []Config{
		{DefaultIn: "destroy"}, {Words: []WordList{{Action: "x"}}}, {Words: []WordList{{Direction: "up"}}},
		{Patterns: []Pattern{{Expr: "("}}}, {Patterns: []Pattern{{Expr: "a", Action: "x"}}}, {Personal: []Detector{{Name: "nose"}}}, {Personal: []Detector{{Name: "ip", Action: "x"}}},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

func TestNoAllocationsWhenClean(t *testing.T) {
	f := must(t, testConfig())
	text := "您好, can you check my order please? 我的订单什么时候发货, 谢谢"
	f.Check(chat.Inbound, text)
	if n := testing.AllocsPerRun(200, func() { f.Check(chat.Inbound, text) }); n >= 1 {
		t.Errorf("Check of a clean text allocates %v times", n)
	}
	raw := []byte(`"您好。 "`)
	same := 0
	emit := func(got []byte) error {
		if &got[0] == &raw[0] {
			same++
		}
		return nil
	}
	s := f.NewStream(chat.Outbound)
	defer s.Release()
	for range 2000 {
		if err := s.Push(raw, emit); err != nil {
			t.Fatal(err)
		}
	}
	if same != 2000 {
		t.Errorf("only %d of 2000 clean tokens came through unchanged", same)
	}
	s.Release()
	s = f.NewStream(chat.Outbound)
	n := testing.AllocsPerRun(200, func() {
		if err := s.Push(raw, emit); err != nil {
			t.Fatal(err)
		}
	})
	if n >= 1 {
		t.Errorf("Push of a clean token allocates %v times", n)
	}
}
