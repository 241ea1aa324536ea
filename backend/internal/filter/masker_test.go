package filter

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// personalSamples are made up; every number carries its valid check digit.
var personalSamples = []string{
	"13812345678", "138 1234 5678", "+86 138-1234-5678", "+44 20 7946 0018", "１３８１２３４５６７８", "(415) 555-2671",
	"4111 1111 1111 1111", "4111111111111111", "5500-0000-0000-0004", "378282246310005",
	"11010519491231002X", "110105 19491231 002x", "GB82 WEST 1234 5698 7654 32", "DE89370400440532013000",
	"user.name@shop.example", "user+tag@mail.shop.example",
}

var digitRun = regexp.MustCompile(`\d{7,}`)

func TestMaskRestore(t *testing.T) {
	m, err := NewMasker()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(7, 8))
	between := []string{" ", "，我的电话是", " and my card is ", "\n", "。请查一下 ", " ⟦PHONE·zzz1⟧ ", " ⟦ ", "⟧", " 😀 ", " order 42 ", ". "}
	for range 3000 {
		var b strings.Builder
		n := 0
		for range 1 + r.IntN(5) {
			b.WriteString(between[r.IntN(len(between))])
			if r.IntN(2) == 0 {
				b.WriteString(personalSamples[r.IntN(len(personalSamples))])
				n++
			}
		}
		b.WriteString(between[r.IntN(len(between))])
		text := b.String()
		tab := m.NewTable("k7q")
		masked := tab.Mask(text)
		for _, s := range personalSamples {
			if strings.Contains(masked, s) {
				t.Fatalf("%q is still in %q", s, masked)
			}
		}
		if digitRun.MatchString(masked) {
			t.Fatalf("digits in %q", masked)
		}
		if n > 0 && tab.Len() == 0 {
			t.Fatalf("nothing masked in %q", text)
		}
		if got := tab.Restore(masked); got != text {
			t.Fatalf("restored %q, want %q", got, text)
		}
		if got := restoreStream(t, tab, tokens(r, masked)); got != text {
			t.Fatalf("streamed %q, want %q", got, text)
		}
	}
}

func restoreStream(t *testing.T, tab *Table, toks []string) string {
	t.Helper()
	rs := tab.NewRestorer()
	var b strings.Builder
	emit := func(raw []byte) error {
		var x string
		if err := json.Unmarshal(raw, &x); err != nil {
			t.Fatalf("emitted %q: %v", raw, err)
		}
		b.WriteString(x)
		return nil
	}
	for _, tok := range toks {
		if err := rs.Push([]byte(tok), emit); err != nil {
			t.Fatal(err)
		}
		if len(rs.buf) > maxPlaceholder+len(openMark) {
			t.Fatalf("%d bytes are held back", len(rs.buf))
		}
	}
	if err := rs.Close(emit); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMaskSameValueSamePlaceholder(t *testing.T) {
	m, _ := NewMasker("phone")
	tab := m.NewTable("")
	a, b := tab.Mask("call 13812345678"), tab.Mask("13812345678 again, not 13912345678")
	p := a[strings.Index(a, openMark):]
	if !strings.Contains(b, p) || tab.Len() != 2 {
		t.Errorf("%q and %q", a, b)
	}
	other := m.NewTable("")
	if got := other.Restore(a); got != a {
		t.Errorf("another table's placeholder was restored: %q", got)
	}
}

func TestRestorerPassesRaw(t *testing.T) {
	m, _ := NewMasker()
	rs := m.NewTable("x").NewRestorer()
	raw := []byte(`"caf\u00e9 \n"`)
	same := false
	if err := rs.Push(raw, func(got []byte) error { same = &got[0] == &raw[0]; return nil }); err != nil || !same {
		t.Errorf("err %v, the very token: %v", err, same)
	}
}
