package filter

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"

	"haoke/backend/internal/chat"
)

func load(t *testing.T, data string) *Loaded {
	t.Helper()
	l, err := LoadWords(strings.NewReader(data), LoadLimits{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLoadEncodings(t *testing.T) {
	want := []string{"赌博网站", "敏感词", "的确便宜", "spam"}
	plain := strings.Join(want, "\n") + "\n"
	gbk, _ := simplifiedchinese.GBK.NewEncoder().String(plain)
	le, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(plain)
	be, _ := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(plain)
	for name, data := range map[string]string{"utf-8": plain, "utf-8 with BOM": "\xEF\xBB\xBF" + plain, "gb18030": gbk, "utf-16le": le, "utf-16be": be} {
		l := load(t, data)
		if l.Encoding != name || !slices.Equal(l.Words(), want) {
			t.Errorf("%s: read as %s: %q", name, l.Encoding, l.Words())
		}
	}
	big5, _ := traditionalchinese.Big5.NewEncoder().String("這個會發生\n說來說去\n對國人\n")
	if l := load(t, big5); l.Encoding != "big5" || l.Words()[0] != "這個會發生" {
		t.Errorf("big5 read as %s: %q", l.Encoding, l.Words())
	}
}

func TestLoadReports(t *testing.T) {
	l := load(t, "word,category,action\n# comment\n\nspam,ads,block\nSPAM,ads,mask\n\"a, b\",x\nx\n***\nfoo,bar,destroy\nfoo,bar\nfoo,bar\n"+strings.Repeat("y", 1001)+"\n"+strings.Repeat("z ", 70)+"\n")
	if got, want := l.Words(), []string{"spam", "a, b", "x", "foo"}; !slices.Equal(got, want) {
		t.Errorf("words %q, want %q", got, want)
	}
	if l.Rows[0].Action != chat.ActionBlock || l.Rows[0].Category != "ads" || !l.CSV {
		t.Errorf("first row %+v, csv %v", l.Rows[0], l.CSV)
	}
	var all string
	for _, p := range l.Report.Problems {
		all += p.List + " " + p.Entry + " " + p.Reason + "\n"
	}
	for _, want := range []string{"line 5 SPAM has action", "line 7 x is a single", "line 8 *** has no letters", `unknown action "destroy"`, "stands in line 10 already", "longer than 1000 bytes", "longer than 64 letters"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		data   string
		limits LoadLimits
		want   string
	}{
		"bytes":   {"123456", LoadLimits{Bytes: 5}, "too large"},
		"entries": {"aa\nbb\ncc\n", LoadLimits{Entries: 2}, "at most 2 entries"},
		"binary":  {"\x00\x01\x02", LoadLimits{}, "no text file"},
		"garbage": {"ok\n\xff\xff\xff\n", LoadLimits{}, "line 2"},
	} {
		_, err := LoadWords(strings.NewReader(c.data), c.limits)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	_, err := LoadWords(bytes.NewReader(make([]byte, 100)), LoadLimits{Bytes: 10})
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

// TestLoadFiftyMegabytes: a file of that size is taken if its entries are
// within the limit, and refused with a sentence as soon as they are not.
func TestLoadFiftyMegabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("large")
	}
	file := func(line func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < 50<<20; i++ {
			b.WriteString(line(i))
		}
		return b.String()
	}
	l := load(t, file(func(i int) string { return strings.Repeat("敏", 30) + fmt.Sprint("词", i) + "，，，，，\n" }))
	if len(l.Rows) < 400_000 || l.Encoding != "utf-8" {
		t.Errorf("%d rows in %s", len(l.Rows), l.Encoding)
	}
	_, err := LoadWords(strings.NewReader(file(func(i int) string { return fmt.Sprint("w", i, "\n") })), LoadLimits{})
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "at most 500000 entries") {
		t.Errorf("too many entries: %v", err)
	}
	l = load(t, file(func(int) string { return "spam\n" }))
	if len(l.Rows) != 1 || l.Report.More == 0 {
		t.Errorf("the same word ten million times: %d rows, %d more problems", len(l.Rows), l.Report.More)
	}
}

func TestSaveLoads(t *testing.T) {
	rows := []Row{{Word: "spam", Category: "ads", Action: chat.ActionBlock}, {Word: `a "b", c`}, {Word: "敏感"}}
	for _, asCSV := range []bool{false, true} {
		var b bytes.Buffer
		if err := SaveWords(&b, rows, asCSV); err != nil {
			t.Fatal(err)
		}
		l := load(t, b.String())
		if got, want := l.Words(), []string{"spam", `a "b", c`, "敏感"}; !slices.Equal(got, want) {
			t.Errorf("csv %v: %q, want %q", asCSV, got, want)
		}
		if asCSV && l.Rows[0].Action != chat.ActionBlock {
			t.Errorf("the action was lost: %+v", l.Rows[0])
		}
	}
}
