package words

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func build(t testing.TB, list ...string) *Set {
	t.Helper()
	es := make([]Entry, len(list))
	for i, w := range list {
		es[i] = Entry{w, int32(i)}
	}
	s, err := Build(es)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// find gives the matches as "rule:text", sorted and without doubles.
func find(s *Set, text string) []string {
	var st State
	var out []string
	s.Scan(&st, text, 0)
	s.Resolve(&st, text, true, func(m Match) {
		out = append(out, fmt.Sprintf("%d:%s", m.Rule, text[m.Start:m.End]))
	})
	slices.Sort(out)
	return slices.Compact(out)
}

func TestMatches(t *testing.T) {
	s := build(t, "spam", "敏感", "ass", "viagra", "buy now", "加v信", "赌博", "paypal", "fuck*", "1xbet", "台湾彩", "谢谢", "fill", "казино", "bitcoin")
	for _, c := range []struct{ text, want string }{
		{"no harm here", ""},
		{"this is spam.", "0:spam"},
		{"this is SPAM", "0:SPAM"},
		{"ｓｐａｍ!", "0:ｓｐａｍ"},
		{"s p a m", "0:s p a m"},
		{"s-p-a-m", "0:s-p-a-m"},
		{"s\u200bp\u200ba\u200bm", "0:s\u200bp\u200ba\u200bm"},
		{"sp\u0301am", "0:sp\u0301am"},
		{"spám", "0:spám"},
		{"sssspaaaammmm", "0:sssspaaaammmm"},
		{"spaamb", ""},
		{"das spam", "0:spam"},
		{"sраm", "0:sраm"}, // Cyrillic р and а
		{"5p4m", "0:5p4m"},
		{"$pam", "0:$pam"},
		{"sp@m", "0:sp@m"},
		{"s@p@a@m", "0:s@p@a@m"},
		{"🅂🄿🄰🄼", "0:🅂🄿🄰🄼"},
		{"𝓼𝓹𝓪𝓶", "0:𝓼𝓹𝓪𝓶"},
		{"s😀p😀a😀m", "0:s😀p😀a😀m"},
		{"spammer", ""},
		{"antispam", ""},
		{"敏感词", "1:敏感"},
		{"敏*感", "1:敏*感"},
		{"敏 感", "1:敏 感"},
		{"敏\u200b感", "1:敏\u200b感"},
		{"他很敏，感觉很好", ""},
		{"class passes as sets assets", ""},
		{"ass", "2:ass"},
		{"a s s", "2:a s s"},
		{"asss", "2:asss"},
		{"as", ""},
		{"as so", ""},
		{"v1agra v.i.a.g.r.a v-iagra", "3:v-iagra 3:v.i.a.g.r.a 3:v1agra"},
		{"buy now", "4:buy now"},
		{"buynow", "4:buynow"},
		{"buy, now", "4:buy, now"},
		{"请加V信联系", "5:加V信"},
		{"赌博", "6:赌博"}, {"賭博", "6:賭博"}, {"赌赌博", "6:赌博"},
		{"paypaI", "7:paypaI"}, // capital I for l
		{"fucking", "8:fuck"},
		{"1xbet 1хbet", "9:1xbet 9:1хbet"},
		{"臺灣彩", "10:臺灣彩"},
		{"谢谢", "11:谢谢"},
		{"谢", ""},
		{"fill fiiiill fil file", "12:fiiiill 12:fill"},
		{"лучшее казино тут", "13:казино"},
		{"order 8317c01n 5p4 1337 5555", ""},
		{"b1tc0in", "14:b1tc0in"},
		{"I'll", ""},
	} {
		if got := strings.Join(find(s, c.text), " "); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}
